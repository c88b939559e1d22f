# Manual pages and completion scripts: the program writes them itself, from the declarations its help is made of, right
# after it is built. Not when cross compiling: what was built does not run here then.
if(CMAKE_CROSSCOMPILING)
  message(STATUS "cross compiling: no manual pages and no completion scripts")
  return()
endif()
set(manual_folder ${CMAKE_BINARY_DIR}/manual)
set(manual_script ${CMAKE_SOURCE_DIR}/cmake/write_manual.cmake)
add_custom_command(
  OUTPUT ${manual_folder}/written
  COMMAND ${CMAKE_COMMAND} -DTERN=$<TARGET_FILE:tern> -DFOLDER=${manual_folder} -P ${manual_script}
  DEPENDS tern ${manual_script}
  COMMENT "Writing manual pages and completion scripts"
  VERBATIM)
add_custom_target(tern_manual ALL DEPENDS ${manual_folder}/written)
install(DIRECTORY ${manual_folder}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
install(FILES ${manual_folder}/tern.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME tern)
install(FILES ${manual_folder}/_tern DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES ${manual_folder}/tern.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
