# cmake --install build --prefix P: a tree that can be moved. Programs find what lies beside them through $ORIGIN.
#     bin/            the programs
#     lib/xlrm/       libtorch and Arrow (XLRM_INSTALL_LIBRARIES, 0.6 GB), in the folders in which they find each other
#     share/xlrm/     slurm/, jobs/ (configurations), analysis/ (the Python package that bin/xlrm_report runs)
#     share/doc/xlrm/, share/modulefiles/xlrm/
# Without XLRM_INSTALL_LIBRARIES the programs take libtorch and Arrow from where the build found them (Spack, conda, a site).
# MPI, HDF5 and the other libraries are the system's or a module's, as they were when it was built.
option(XLRM_INSTALL_LIBRARIES "Install copies of libtorch and Arrow beside the programs" ON)
include(GNUInstallDirs)
set(jobs job_xlrm_align job_xlrm_analyze job_xlrm_bench job_xlrm_evaluate job_xlrm_generate job_xlrm_inspect job_xlrm_judge job_xlrm_prepare job_xlrm_sweep
  job_xlrm_train)

if(XLRM_INSTALL_LIBRARIES)
  foreach(library ${XLRM_TORCH_CPU_LIBRARY} ${XLRM_TORCH_C10_LIBRARY} ${XLRM_TORCH_DIR}/lib/libgomp.so.1)
    if(EXISTS ${library})
      install(FILES ${library} DESTINATION lib/xlrm/torch/lib)
    endif()
  endforeach()
  # What libtorch_cpu.so asks for, where its own run path looks for it.
  get_filename_component(torch_parent ${XLRM_TORCH_DIR} DIRECTORY)
  file(GLOB cuda ${torch_parent}/nvidia/cu13/lib/libcudart.so.13 ${torch_parent}/nvidia/cu13/lib/libcupti.so.13)
  install(FILES ${cuda} DESTINATION lib/xlrm/nvidia/cu13/lib)
  if(XlrmArrow_FOUND)
    install(FILES ${XLRM_ARROW_LIBRARY} ${XLRM_PARQUET_LIBRARY} DESTINATION lib/xlrm/arrow)
  endif()
endif()
set_target_properties(${jobs} PROPERTIES INSTALL_RPATH "\$ORIGIN/../lib/xlrm/torch/lib;\$ORIGIN/../lib/xlrm/arrow"
  INSTALL_RPATH_USE_LINK_PATH ON)
install(TARGETS ${jobs} RUNTIME DESTINATION bin)

install(DIRECTORY ${PROJECT_SOURCE_DIR}/slurm/ DESTINATION share/xlrm/slurm USE_SOURCE_PERMISSIONS PATTERN "*.md" EXCLUDE)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/jobs/ DESTINATION share/xlrm/jobs FILES_MATCHING PATTERN "*.cfg")
install(PROGRAMS ${PROJECT_SOURCE_DIR}/analysis/xlrm_report DESTINATION share/xlrm/analysis)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/analysis/xlrm_results DESTINATION share/xlrm/analysis FILES_MATCHING PATTERN "*.py")
install(FILES ${PROJECT_SOURCE_DIR}/analysis/pyproject.toml DESTINATION share/xlrm/analysis)
install(CODE "file(CREATE_LINK ../share/xlrm/analysis/xlrm_report \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/bin/xlrm_report\" SYMBOLIC)")
install(FILES README.md LICENSE CITATION.cff DESTINATION share/doc/xlrm)
foreach(folder analysis jobs slurm)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/ DESTINATION share/doc/xlrm/${folder} FILES_MATCHING PATTERN "*.md")
endforeach()
configure_file(scripts/packaging/modulefile.tcl.in modulefile.tcl @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/modulefile.tcl DESTINATION share/modulefiles/xlrm RENAME ${PROJECT_VERSION})
