# The program `tern`, and the library libtern: every room below the program in one static archive, with the public headers
# of include/tern. Installed, a consumer says find_package(tern) and links tern::tern; inside the tree the name is the same.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# The program. cli/main.cpp is the one source that is in no room, so that tests can link the commands.
add_executable(tern ${CMAKE_SOURCE_DIR}/src/cli/main.cpp)
target_link_libraries(tern PRIVATE tern_cli)
set_target_properties(tern PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

# The library. The rooms' objects go into one archive: a consumer need not know that there are rooms.
set(objects "")
foreach(room IN LISTS TERN_ROOMS)
  if(NOT room STREQUAL "cli")
    list(APPEND objects $<TARGET_OBJECTS:tern_${room}>)
  endif()
endforeach()
add_library(tern_lib STATIC ${objects})
add_library(tern::tern ALIAS tern_lib)
set_target_properties(tern_lib PROPERTIES OUTPUT_NAME tern EXPORT_NAME tern LINKER_LANGUAGE CXX)
target_compile_features(tern_lib PUBLIC cxx_std_23)
target_include_directories(tern_lib INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/include>
                                              $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# What the objects need at link time; tern-config.cmake.in looks the same four up. Header-only libraries are done with.
target_link_libraries(tern_lib PRIVATE fmt::fmt Threads::Threads PkgConfig::PCRE2 PkgConfig::UTF8PROC ${CMAKE_DL_LIBS})

set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/tern)
install(TARGETS tern RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS tern_lib EXPORT tern_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${CMAKE_SOURCE_DIR}/include/tern DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(FILES ${CMAKE_SOURCE_DIR}/LICENSE ${CMAKE_SOURCE_DIR}/README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT tern_targets FILE tern-targets.cmake NAMESPACE tern:: DESTINATION ${config_folder})
configure_package_config_file(${CMAKE_SOURCE_DIR}/cmake/tern-config.cmake.in ${CMAKE_BINARY_DIR}/tern-config.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/tern-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/tern-config.cmake ${CMAKE_BINARY_DIR}/tern-config-version.cmake
        DESTINATION ${config_folder})

include(cmake/manual.cmake)
