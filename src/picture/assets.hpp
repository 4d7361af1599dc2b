// The files that are built in, put there by CMake (assets.cpp.in).
#pragma once

namespace topo::picture {

extern const char* const svg_css;
extern const char* const page_html;
extern const char* const page_css;
extern const char* const page_js;
extern const char* const cytoscape_js;  ///< third_party/cytoscape

}  // namespace topo::picture
