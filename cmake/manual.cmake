# The manual pages, where scdoc is installed.
find_program(SCDOC scdoc)
if(SCDOC)
  foreach(page topo.1 topo-topology.5)
    add_custom_command(OUTPUT ${CMAKE_BINARY_DIR}/${page} DEPENDS ${CMAKE_SOURCE_DIR}/man/${page}.scd
                       COMMAND sh -c "\"$1\" <\"$2\" >\"$3\"" sh ${SCDOC} ${CMAKE_SOURCE_DIR}/man/${page}.scd ${page} COMMAND gzip -9nkf ${page} VERBATIM)
    list(APPEND pages ${CMAKE_BINARY_DIR}/${page})
    string(REGEX MATCH "[0-9]$" section ${page})
    install(FILES ${CMAKE_BINARY_DIR}/${page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man${section} COMPONENT topo)
  endforeach()
  add_custom_target(manual ALL DEPENDS ${pages})
endif()
