// Hostile text in every form of a picture, and what each form is made of.
#include <nlohmann/json.hpp>

#include "drawn.hpp"
#include "picture/dot.hpp"
#include "picture/json.hpp"
#include "picture/markup.hpp"
#include "picture/mermaid.hpp"
#include "picture/page.hpp"
#include "picture/svg.hpp"
#include "picture/text.hpp"

using namespace topo;
using namespace topo::test;

namespace {

constexpr const char* hostile = "</script><b onclick=\"x\">'&\\`#;\n]]>";

/// A scene with hostile text wherever one is shown.
picture::Scene hostile_scene() {
  picture::Scene it;
  it.topology = hostile;
  it.live = true;
  it.notes = {hostile};
  it.nodes = {{picture::Node::Kind::bridge, hostile}, {picture::Node::Kind::space, hostile, {hostile}, {hostile}, {hostile}, picture::Drift::extra, hostile}};
  it.nodes[1].facts = {{hostile, hostile, hostile, hostile}};
  it.cables = {{{{{0, hostile}, {1, hostile}}}, picture::Drift::none, hostile}};
  it.zones = {{hostile, {0}, hostile}};
  it.flows = {{picture::Flow::Kind::deny, {{true, 0}}, {{false, 1}}, true, hostile, hostile, hostile}};
  return it;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("text in markup") {
  CHECK(picture::escaped("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;");
  CHECK(picture::escaped("é — ✕") == "é — ✕");
  CHECK(picture::escaped("a\x1b\n") == "a\\x1B\\x0A");
  // Valid UTF-8, and no characters of XML.
  CHECK(picture::escaped("\xef\xbf\xbe|\xef\xbf\xbf|\xef\xbf\xbd") == "\\xEF\\xBF\\xBE|\\xEF\\xBF\\xBF|\xef\xbf\xbd");
}

TEST_CASE("hostile text stays text") {
  const picture::Scene it = hostile_scene();
  const picture::Layout layout = picture::lay_out(it);
  const std::string svg = picture::to_svg(it, layout);
  CHECK_FALSE(has(svg, "<b "));
  CHECK_FALSE(has(svg, "</script>"));
  const std::string page = picture::to_html(it, layout, {});
  CHECK_FALSE(has(page, "<b "));
  // Those that the page itself ends: the document, cytoscape and the page's own.
  std::size_t ends = 0;
  for (std::size_t at = page.find("</script>"); at != std::string::npos; at = page.find("</script>", at + 1)) ++ends;
  CHECK(ends == 3U);
  CHECK(nlohmann::json::parse(picture::to_json(it, layout))["nodes"][1]["name"] == hostile);
  const std::string mermaid = picture::to_mermaid(it);
  CHECK_FALSE(has(mermaid, "<b "));
  CHECK_FALSE(has(mermaid, "onclick=\""));
}

TEST_CASE("dot escapes what would end a string") {
  picture::Scene it;
  it.topology = "a\"b\\c";
  CHECK(has(picture::to_dot(it), "digraph \"a\\\"b\\\\c\" {"));
}

TEST_CASE("a page has nothing to fetch") {
  const auto it = scene("bridges: { lan: { subnet: 10.0.0.0/24 } }\nnamespaces: { a: { attach: lan } }\n");
  const std::string page = picture::to_html(it, picture::lay_out(it), {});
  CHECK(has(page, "default-src 'none'"));
  CHECK_FALSE(has(page, " src="));
  CHECK_FALSE(has(page, "{{"));
  CHECK_FALSE(has(page, "@import"));
}

TEST_CASE("the document for programs") {
  const auto it = scene("bridges: { lan: { subnet: 10.0.0.0/24 } }\nnamespaces: { a: { attach: { lan: 10.0.0.9 } } }\nzones: { z: [a] }\npolicy: { deny: [z -> host] }\n");
  const auto document = nlohmann::json::parse(picture::to_json(it, picture::lay_out(it)));
  CHECK(document["format"] == "topo.graph/1");
  CHECK(document["topology"] == "lab");
  const auto& a = document["nodes"][2];
  CHECK(a["id"] == "namespace a");
  CHECK(a["zones"] == nlohmann::json{"z"});
  CHECK(a["box"].size() == 4U);
  CHECK(document["flows"][0]["from"] == nlohmann::json{"zone z"});
  CHECK(document["flows"][0]["to"] == nlohmann::json{"host"});
  CHECK(document["flows"][0]["wires"].size() == 1U);
  CHECK(document["zones"][0]["members"] == nlohmann::json{"namespace a"});
  CHECK_FALSE(document.contains("texts"));
}

TEST_CASE("texts that are too long are cut between characters") {
  using picture::Text;
  CHECK(picture::shortened("short", 100, Text::Style::line) == "short");
  const std::string cut = picture::shortened("ééééééééééééé", 60, Text::Style::line);
  CHECK(cut.ends_with("é…"));
  CHECK(picture::text_width(cut, Text::Style::line) <= 60);
}
