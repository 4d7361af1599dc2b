#include "picture/markup.hpp"

#include "topo/names.hpp"

namespace topo::picture {

std::string escaped(std::string_view text) {
  std::string out;
  const std::string safe = printable(text);
  for (std::size_t i = 0; i < safe.size(); ++i) {
    switch (safe[i]) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // U+FFFE and U+FFFF are valid UTF-8 and no characters of XML (XML 1.0, 2.2).
        if (const std::string_view rest(safe); rest.substr(i, 2) == "\xef\xbf" && (rest[i + 2] == '\xbe' || rest[i + 2] == '\xbf')) {
          out += rest[i + 2] == '\xbe' ? "\\xEF\\xBF\\xBE" : "\\xEF\\xBF\\xBF";
          i += 2;
        } else {
          out += safe[i];
        }
    }
  }
  return out;
}

}  // namespace topo::picture
