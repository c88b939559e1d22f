# Libraries from outside. What is missing ends the configuration with one message that names the Debian package.

function(tern_missing name package)
  message(FATAL_ERROR "Tern needs ${name}, which was not found.\n"
                      "On Debian: apt-get install ${package}   (or all at once: tools/install_packages.sh)")
endfunction()

macro(tern_need name package)
  find_package(${name} QUIET)
  if(NOT ${name}_FOUND)
    tern_missing(${name} ${package})
  endif()
endmacro()
