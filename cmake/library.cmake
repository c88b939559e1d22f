# The program.
add_executable(tern ${CMAKE_SOURCE_DIR}/src/cli/main.cpp)
target_link_libraries(tern PRIVATE tern_cli)
set_target_properties(tern PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
