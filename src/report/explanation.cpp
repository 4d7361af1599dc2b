#include "report/explanation.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "reach/words.hpp"
#include "topo/names.hpp"

namespace topo::report {
namespace {

using Json = nlohmann::ordered_json;

/// "FILE:LINE", empty where nothing says it.
std::string place(const Position& at, const Sources& sources) {
  return at.line == 0 || at.source >= sources.size() ? std::string() : sources[at.source].name + ":" + std::to_string(at.line);
}

std::string with_place(std::string text, const Position& at, const Sources& sources) {
  const std::string where = place(at, sources);
  return where.empty() ? text : text + "   " + where;
}

std::string more(std::size_t count) { return count == 0 ? std::string() : " and " + std::to_string(count) + " more like it"; }

std::string headline(const reach::Explanation& it) {
  std::string text = it.from + more(it.equal_senders) + " -> " + it.to;
  if (it.service.protocol != Protocol::any) text += ":" + reach::to_text(it.service);
  text += more(it.equal_receivers);
  if (!it.destination.is_unspecified()) text += ", to " + it.destination.to_string();
  return text + ": " + (it.others.empty() ? reach::to_text(it.verdict) : "it depends on the port");
}

std::vector<std::string> lines_of(const reach::Hop& hop, const Sources& sources) {
  std::vector<std::string> lines;
  if (hop.in.empty() && !hop.back) lines.push_back("sends from " + (hop.source.is_unspecified() ? "its own address" : hop.source.to_string()));
  if (hop.in.empty() && hop.back) lines.push_back("answers " + hop.destination.to_string());
  if (!hop.in.empty()) lines.push_back("comes in by " + hop.in);
  if (!hop.mapped.empty()) lines.push_back(with_place("port map: " + hop.mapped, hop.mapped_at, sources));
  if (!hop.route.empty()) lines.push_back(with_place("route " + hop.route + (hop.out.empty() ? "" : ", out by " + hop.out), hop.at, sources));
  if (hop.route.empty() && !hop.out.empty()) lines.push_back("goes on by " + hop.out);
  if (!hop.masked.empty()) lines.push_back("from here on from " + hop.masked);
  for (const auto& filter : hop.filters) {
    const std::string elsewhere = filter.ns.empty() || filter.ns == hop.node ? "" : " in " + filter.ns;
    lines.push_back(std::string(filter.blocks ? "blocked" : "let pass") + " by rule " + std::to_string(filter.index + 1) + " of " + filter.chain +
                    elsewhere + ": " + filter.rule);
  }
  if (!hop.in.empty() && hop.out.empty() && hop.route.empty()) lines.push_back("is there");
  return lines;
}

void write(std::string& text, const Explained& one, const Sources& sources) {
  const reach::Explanation& it = one.explanation;
  text += printable(headline(it)) + "\n";
  if (it.others.empty()) {
    text += "  " + printable(with_place(it.why, it.at, sources)) + "\n";
  } else {
    for (const auto& span : it.others) text += "  " + reach::to_text(span.service) + ": " + reach::to_text(span.ruled.verdict) + "\n";
    text += "  the first by: " + printable(with_place(it.why, it.at, sources)) + "\n";
  }
  if (!one.differs.empty()) text += "  " + printable(one.differs) + "\n";
  std::size_t width = 0;
  for (const auto& hop : it.hops) width = std::max(width, printable(hop.node).size());
  bool back = false;
  for (const auto& hop : it.hops) {
    if (hop.back && !back) text += "\n  the answer\n";
    if (!hop.back && &hop == &it.hops.front()) text += "\n";
    back = hop.back;
    std::string name = printable(hop.node);
    for (const auto& line : lines_of(hop, sources)) {
      text += "    " + name + std::string(width + 2 - name.size(), ' ') + printable(line) + "\n";
      name.clear();
    }
  }
}

Json json_of(const reach::Hop& hop, const Sources& sources) {
  Json entry{{"node", printable(hop.node)}, {"answer", hop.back}};
  const auto put = [&](const char* key, const std::string& text) {
    if (!text.empty()) entry[key] = printable(text);
  };
  put("in", hop.in);
  put("out", hop.out);
  put("route", hop.route);
  put("route_at", place(hop.at, sources));
  if (!hop.source.is_unspecified()) entry["source"] = hop.source.to_string();
  entry["destination"] = hop.destination.to_string();
  put("port_map", hop.mapped);
  put("port_map_at", place(hop.mapped_at, sources));
  put("source_becomes", hop.masked);
  for (const auto& filter : hop.filters) {
    entry["filter"].push_back({{"namespace", printable(filter.ns)},
                               {"chain", printable(filter.chain)},
                               {"rule", filter.index + 1},
                               {"text", printable(filter.rule)},
                               {"blocks", filter.blocks}});
  }
  return entry;
}

}  // namespace

std::string explained_text(const std::vector<Explained>& all, const Sources& sources) {
  std::string text;
  for (const auto& one : all) {
    if (!text.empty()) text += "\n";
    write(text, one, sources);
  }
  if (!text.empty()) text.pop_back();
  return text;
}

std::string explained_json(const std::vector<Explained>& all, const Sources& sources) {
  Json list = Json::array();
  for (const auto& [it, differs] : all) {
    Json entry{{"from", printable(it.from)}, {"equal_senders", it.equal_senders}, {"to", printable(it.to)}, {"equal_receivers", it.equal_receivers}};
    if (!it.source.is_unspecified()) entry["source"] = it.source.to_string();
    if (!it.destination.is_unspecified()) entry["destination"] = it.destination.to_string();
    entry["service"] = it.service.protocol == Protocol::any ? "all" : reach::to_text(it.service);
    entry["verdict"] = reach::to_text(it.verdict);
    entry["why"] = printable(it.why);
    if (it.at.line != 0 && it.at.source < sources.size()) {
      entry["file"] = printable(sources[it.at.source].name);
      entry["line"] = it.at.line;
    }
    for (const auto& span : it.others)
      entry["services"].push_back({{"service", reach::to_text(span.service)}, {"verdict", reach::to_text(span.ruled.verdict)}});
    if (!differs.empty()) entry["differs"] = printable(differs);
    entry["hops"] = Json::array();
    for (const auto& hop : it.hops) entry["hops"].push_back(json_of(hop, sources));
    list.push_back(std::move(entry));
  }
  return list.dump(2, ' ', true);
}

}  // namespace topo::report
