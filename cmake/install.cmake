# What `cmake --install` and the packages put where: the component `topo` is the program, `dev` is libtopo with its headers.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

install(TARGETS topo RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT topo)
install(FILES schemas/topology.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/topo COMPONENT topo)
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT topo)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT topo)
install(DIRECTORY docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/docs COMPONENT topo)

include(cmake/manual.cmake)

install(FILES packaging/topo@.service DESTINATION lib/systemd/system COMPONENT topo)

# What each shell completes, as the program tells it; where Debian's shells look.
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/completion.${shell} DEPENDS topo COMMAND sh -c "\"$1\" completion $2 >completion.$2" sh $<TARGET_FILE:topo> ${shell} VERBATIM)
  list(APPEND completions ${CMAKE_BINARY_DIR}/completion.${shell})
endforeach()
add_custom_target(completions ALL DEPENDS ${completions})
install(FILES ${CMAKE_BINARY_DIR}/completion.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME topo COMPONENT topo)
install(FILES ${CMAKE_BINARY_DIR}/completion.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _topo COMPONENT topo)
install(FILES ${CMAKE_BINARY_DIR}/completion.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME topo.fish COMPONENT topo)

# libtopo: the rooms as they are, as static libraries; only include/topo is its interface.
get_property(rooms GLOBAL PROPERTY TOPO_ROOMS)
set_target_properties(topo_api PROPERTIES EXPORT_NAME topo)
install(TARGETS ${rooms} EXPORT topo ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}/topo COMPONENT dev INCLUDES DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(DIRECTORY include/topo DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
install(EXPORT topo NAMESPACE topo:: FILE topoTargets.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/topo COMPONENT dev)
configure_package_config_file(packaging/topoConfig.cmake.in topoConfig.cmake INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/topo)
write_basic_package_version_file(topoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/topoConfig.cmake ${CMAKE_BINARY_DIR}/topoConfigVersion.cmake DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/topo COMPONENT dev)

include(cmake/packages.cmake)
