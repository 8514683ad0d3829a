# cmake -DROOT=<source tree> -P CheckLayers.cmake
# Who may include whom. A file includes its own layer and those that the table gives to it; some libraries belong to few layers.
# Every breach is named with file and line; the script fails if there is one. The link lines in src/*/CMakeLists.txt follow the table.
cmake_policy(VERSION 3.24)
set(layers core comm store text data ops model infer stats eval train align analysis sweep bench)
set(core_uses)
set(comm_uses core)
set(store_uses core comm)
set(text_uses core)
set(data_uses core comm store text)
set(ops_uses core)
set(model_uses core store text ops)
set(infer_uses core comm store text ops model)
set(stats_uses core)
set(eval_uses core comm store text data ops model infer stats)
set(train_uses core comm store text data ops model infer)
set(analysis_uses core comm store text data stats eval)
set(align_uses core comm store text data ops model infer stats eval train analysis)
set(sweep_uses core comm store text data ops model infer stats eval train align analysis)
set(bench_uses ${sweep_uses} sweep)
set(jobs_uses ${layers})

# Pattern of an included header, then the layers that may include it (a regular expression).
set(library_rules
  "mpi[.]h$"                      "^(comm|store)$"
  "(hdf5|H5[A-Za-z0-9]*)[.]h$"    "^store$"
  "(ATen|c10|torch)/"             "^(ops|model|infer|stats|eval|train|align|analysis|sweep|bench|jobs)$"
  "sentencepiece"                 "^(text|bench)$"
  "^cld2/"                        "^text$"
  "^(arrow|parquet)/"             "^data$"
  "torch/torch[.]h$"              "^none$"
  "ATen/ATen[.]h$"                "^none$")

set(breaches "")
function(report file line why)
  list(APPEND breaches "${file}: ${line}\n    ${why}")
  set(breaches "${breaches}" PARENT_SCOPE)
endfunction()

macro(check_include)
  if(header MATCHES "^xlrm/([a-z]+)/")
    if(NOT CMAKE_MATCH_1 STREQUAL layer AND NOT CMAKE_MATCH_1 IN_LIST ${layer}_uses)
      report(${file} "${line}" "${layer} may not use ${CMAKE_MATCH_1}")
    endif()
  elseif(header MATCHES "[.][.]/([a-z]+)/")
    report(${file} "${line}" "private headers of another folder; move what is shared into include/")
  endif()
  set(rules ${library_rules})
  while(rules)
    list(POP_FRONT rules pattern allowed)
    if(header MATCHES "${pattern}" AND NOT layer MATCHES "${allowed}")
      report(${file} "${line}" "${layer} may not use this library")
    endif()
  endwhile()
  if(header MATCHES "^cuda|cublas|nvtx" AND NOT file MATCHES "/cuda/")
    report(${file} "${line}" "CUDA belongs into a folder cuda/")
  elseif(header MATCHES "nccl[.]h$" AND NOT file MATCHES "/(cuda/[^/]*|nccl[.]cpp)$")
    report(${file} "${line}" "NCCL belongs into nccl.cpp")
  endif()
endmacro()

file(GLOB_RECURSE files RELATIVE ${ROOT} ${ROOT}/include/*.hpp ${ROOT}/src/*.hpp ${ROOT}/src/*.cpp ${ROOT}/src/*.cu ${ROOT}/src/*.cuh
  ${ROOT}/jobs/*.cpp ${ROOT}/jobs/*.hpp ${ROOT}/analysis/*.cpp ${ROOT}/analysis/*.hpp)
list(LENGTH files count)
if(count EQUAL 0)
  message(FATAL_ERROR "no sources in ${ROOT}")
endif()
foreach(file IN LISTS files)
  string(REGEX REPLACE "^(include/xlrm|src)/([a-z]+)/.*" "\\2" layer ${file})
  string(REGEX REPLACE "^(jobs|analysis)/.*" "jobs" layer ${layer})  # programs
  if(NOT layer IN_LIST layers AND NOT layer STREQUAL jobs)
    report(${file} "" "belongs to no layer")
    continue()
  endif()
  file(STRINGS ${ROOT}/${file} lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^[ \t]*#[ \t]*include[ \t]*[<\"]([^>\"]*)[>\"].*" "\\1" header "${line}")
    check_include()
  endforeach()
endforeach()

if(breaches)
  list(JOIN breaches "\n" text)
  message(FATAL_ERROR "layers: ${layers}\n${text}")
endif()
message(STATUS "${count} files keep to the layers")
