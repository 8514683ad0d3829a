// XLRM_FAST_BUILD: the headers that XlrmLayer.cmake names are compiled with this file.
