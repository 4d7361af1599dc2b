#include "picture/page.hpp"

#include <map>
#include <nlohmann/json.hpp>
#include <string_view>

#include "picture/assets.hpp"
#include "picture/json.hpp"
#include "picture/legend.hpp"
#include "picture/markup.hpp"

namespace topo::picture {
namespace {

/// JSON that may stand in a script element: nothing in it ends one.
std::string inline_json(const nlohmann::ordered_json& document) {
  const std::string text = document.dump(-1, ' ', true);
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

nlohmann::ordered_json json_of(const Scene& scene, const Matrix& matrix) {
  using Json = nlohmann::ordered_json;
  const auto parties = [&](const std::vector<MatrixParty>& list) {
    Json made = Json::array();
    for (const MatrixParty& party : list) {
      Json nodes = Json::array();
      for (const std::size_t node : party.nodes) nodes.push_back(id_of(scene.nodes[node]));
      made.push_back({{"name", party.name}, {"nodes", std::move(nodes)}});
    }
    return made;
  };
  static constexpr const char* extents[] = {"none", "some", "all"};
  Json entries = Json::array(), table = Json::array();
  for (const MatrixEntry& entry : matrix.entries)
    entries.push_back({{"extent", extents[static_cast<std::size_t>(entry.extent)]}, {"services", entry.services}, {"why", entry.why}});
  for (const auto& row : matrix.entry_of) {
    Json& made = table.emplace_back(Json::array());
    for (const std::size_t entry : row) made.push_back(entry == nowhere ? Json() : Json(entry));
  }
  return {{"from", parties(matrix.from)}, {"to", parties(matrix.to)}, {"entries", std::move(entries)}, {"table", std::move(table)}};
}

/// `form` with each "{{name}}" replaced; what is put in is not looked at again.
std::string filled(std::string_view form, const std::map<std::string_view, std::string_view>& values) {
  std::string out;
  for (std::size_t at = form.find("{{"); at != std::string_view::npos; at = form.find("{{")) {
    const std::size_t end = form.find("}}", at);
    out += form.substr(0, at);
    out += values.at(form.substr(at + 2, end - at - 2));
    form.remove_prefix(end + 2);
  }
  return out + std::string(form);
}

}  // namespace

std::string to_html(const Scene& scene, const Layout& layout, const Matrix& matrix) {
  nlohmann::ordered_json document = document_of(scene, layout, true);
  document["reach"] = json_of(scene, matrix);
  const std::string title = escaped(scene.topology), count = escaped(count_of(scene)), graph = inline_json(document);
  std::string page = filled(page_html, {{"title", title}, {"count", count}, {"style", page_css}, {"graph", graph}, {"cytoscape", cytoscape_js}, {"script", page_js}});
  page.erase(page.find_last_not_of('\n') + 1);
  return page;
}

}  // namespace topo::picture
