# `cpack -G DEB` in a build folder: topo_VERSION_ARCH.deb and libtopo-dev_VERSION_ARCH.deb.
set(CPACK_PACKAGE_NAME topo)
set(CPACK_PACKAGE_VENDOR "The topo authors")
set(CPACK_PACKAGE_CONTACT "The topo authors <topo@example.org>")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_SOURCE_DIR}/LICENSE)
set(CPACK_GENERATOR DEB)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL topo dev)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(CPACK_DEBIAN_TOPO_PACKAGE_NAME topo)
set(CPACK_DEBIAN_TOPO_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOPO_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOPO_PACKAGE_RECOMMENDS "iproute2, kmod, libnftables1")
set(CPACK_COMPONENT_TOPO_DESCRIPTION "One file says which network namespaces, bridges, cables, NAT, port maps and
policy there shall be on this machine. topo reads the kernel, shows the
difference and makes it so, all or nothing. There is no daemon and no state
file: what it made bears its mark in the kernel, and nothing else is touched.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libtopo-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS "libyaml-cpp-dev, libnl-3-dev, libnl-route-3-dev, libnl-nf-3-dev, libip4tc-dev, libip6tc-dev")
set(CPACK_COMPONENT_DEV_DESCRIPTION "The library that topo is made of: it reads topology files, compares them with
the network of this machine, and reconciles it. With its headers and a CMake
package.")

# What Debian asks of every package: its licence and its changes.
set(debian ${CMAKE_BINARY_DIR}/debian)
file(READ LICENSE licence)
string(REPLACE "\n\n" "\n.\n" licence "${licence}")
string(REPLACE "\n" "\n " licence "${licence}")
string(STRIP "${licence}" licence)
file(WRITE ${debian}/copyright "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: topo

Files: *
Copyright: 2025 The topo authors
License: Expat
 ${licence}
")
string(TIMESTAMP now "%a, %d %b %Y %H:%M:%S +0000" UTC)  # that of SOURCE_DATE_EPOCH, where it is set
file(WRITE ${debian}/changelog "topo (${PROJECT_VERSION}) unstable; urgency=medium

  * CHANGELOG.md says what changed.

 -- ${CPACK_PACKAGE_CONTACT}  ${now}
")
execute_process(COMMAND gzip -9nf ${debian}/changelog)
file(WRITE ${debian}/postinst "#!/bin/sh
set -e
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
")
configure_file(${debian}/postinst ${debian}/postrm COPYONLY)
file(CHMOD ${debian}/postinst ${debian}/postrm PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_TOPO_PACKAGE_CONTROL_EXTRA "${debian}/postinst;${debian}/postrm")
install(FILES ${debian}/copyright ${debian}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/topo COMPONENT topo)
install(FILES ${debian}/copyright ${debian}/changelog.gz DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/libtopo-dev COMPONENT dev)

include(CPack)
