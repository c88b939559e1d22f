# Installs Tern into a fresh prefix, builds the consumer against it alone, runs it, and runs the installed program.
# cmake -DBUILD=... -DSOURCE=... -DWORK=... -DCOMPILER=... -DGENERATOR=... -DFLAGS=... -DVERSION=... -P run.cmake
function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nexit status ${status}\n${output}")
  endif()
  set(output "${output}" PARENT_SCOPE)
endfunction()

file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
run(${CMAKE_COMMAND} -S ${SOURCE}/tests/install_consume -B ${WORK}/build -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
    -DCMAKE_PREFIX_PATH=${WORK}/prefix -DCMAKE_CXX_FLAGS=${FLAGS})
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/consumer)
if(NOT output MATCHES "tern ${VERSION}: [1-9][0-9] formats")
  message(FATAL_ERROR "the consumer printed: ${output}")
endif()
run(${WORK}/prefix/bin/tern --version)
if(NOT output MATCHES "${VERSION}")
  message(FATAL_ERROR "the installed program printed: ${output}")
endif()

foreach(file IN ITEMS man/man1/tern.1 man/man1/tern-run.1 bash-completion/completions/tern zsh/site-functions/_tern
                      fish/vendor_completions.d/tern.fish)
  file(SIZE ${WORK}/prefix/share/${file} n_bytes)
  if(n_bytes LESS 500)
    message(FATAL_ERROR "share/${file} has ${n_bytes} bytes")
  endif()
endforeach()

# The installed files must not point back into the tree they came from.
file(GLOB_RECURSE installed ${WORK}/prefix/*.cmake ${WORK}/prefix/*.hpp)
foreach(file IN LISTS installed)
  file(READ ${file} text)
  string(FIND "${text}" "${SOURCE}/" position)
  if(NOT position EQUAL -1)
    message(FATAL_ERROR "${file} names the source tree")
  endif()
endforeach()
file(REMOVE_RECURSE ${WORK})
