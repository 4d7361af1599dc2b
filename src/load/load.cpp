#include "topo/load.hpp"

#include "load/files.hpp"
#include "load/scalars.hpp"
#include "load/sections.hpp"
#include "load/variables.hpp"
#include "topo/names.hpp"

namespace topo {
namespace reading {
namespace {

const char* const no_name = "the file has no \"topology\"";
const char* const no_name_hint = "a topology has a name: topology: NAME";

void read_gateway_place(Reading& reading, const Node& value, Topology& topology) {
  if (!is_scalar(reading.mistakes, value, "gateway", "host or own")) return;
  topology.own_gateway = value.text == "own";
  if (value.text == "host" || value.text == "own") return;
  reading.mistakes.add(value, "gateway takes host or own, not " + in_quotes(value.text), "own: a namespace of the topology's own");
}

/// Read before all others, or while the files were gathered.
void read_earlier(Reading&, const Node&, Topology&) {}

constexpr Key<Topology> keys[]{
    {"topology", read_name},         {"include", read_earlier}, {"vars", read_earlier},          {"defaults", read_earlier},
    {"gateway", read_gateway_place}, {"bridges", read_bridges}, {"namespaces", read_namespaces}, {"links", read_links},
    {"ports", read_ports},           {"zones", read_zones},     {"policy", read_policy},      {"expect", read_expect},
};

std::string hint_for(std::string_view key) { return key == "run" ? not_in_this_version : ""; }

/// Whether every name can be known: no section of names is refused as a whole, or stands under a key that is none.
bool names_are_whole(const Node& root) {
  const auto known = names_of(keys);
  for (std::size_t i = 0; i < root.pairs(); ++i) {
    const Node& section = root.value(i);
    const std::string& key = root.key(i).text;
    const bool stranger = std::find(known.begin(), known.end(), key) == known.end();
    if (stranger && hint_for(key).empty() && (section.is_map() || section.is_list())) return false;
    if (section.is_null() || (key != "bridges" && key != "namespaces" && key != "zones")) continue;
    if (!section.is_map()) return false;
    for (std::size_t j = 0; j < section.pairs(); ++j) {
      if (section.key(j).is_refused()) return false;
    }
  }
  return true;
}

/// The same for cables, and for what the defaults say.
bool cables_are_whole(const Node& root) {
  const Node* links = root.find("links");
  const Node* defaults = root.find("defaults");
  if (defaults != nullptr && defaults->holds_refused()) return false;
  if (links == nullptr || links->is_null()) return true;
  return links->is_list() && std::all_of(links->items.begin(), links->items.end(), [](const Node& link) { return link.is_map(); });
}

/// The name is all that is wanted: mistakes anywhere else are kept to themselves.
void finish_name(Gathered& gathered, const LoadOptions& options, Mistakes& mistakes, Loaded& loaded) {
  if (gathered.root.is_map()) substitute(gathered.root, options.set, mistakes);
  const Node* name = gathered.root.find("topology");
  const bool told = name == nullptr ? !gathered.complete : name->is_refused();
  if (!told) {
    Mistakes of_name(loaded.topology.sources);
    Reading reading{of_name, loaded.topology, options};
    if (name != nullptr) {
      read_name(reading, *name, loaded.topology);
    } else {
      of_name.add(Position{1, 1, 0}, {}, no_name, no_name_hint);
    }
    loaded.diagnostics = of_name.take();
  } else {
    loaded.diagnostics = mistakes.take();
  }
  loaded.unreadable = loaded.topology.name.value.empty();
}

template <class Gather>
Loaded load_by(Gather gather, const LoadOptions& options) {
  Loaded loaded;
  Mistakes mistakes(loaded.topology.sources);
  Gathered gathered = gather(loaded.topology.sources, mistakes);
  if (options.name_only) {
    finish_name(gathered, options, mistakes, loaded);
    return loaded;
  }
  loaded.unreadable = !gathered.complete;
  if (gathered.complete) {
    substitute(gathered.root, options.set, mistakes);
    Reading reading{mistakes, loaded.topology, options};
    read_topology(reading, gathered.root);
  }
  loaded.diagnostics = mistakes.take();
  return loaded;
}

}  // namespace

void read_name(Reading& reading, const Node& value, Topology& topology) {
  if (!is_scalar(reading.mistakes, value, "topology", "a name")) return;
  if (const auto problem = topology_name_problem(value.text)) {
    reading.mistakes.add(value, "topology name " + in_quotes(value.text) + " " + *problem);
  } else {
    topology.name = {value.text, value.at};
  }
}

void read_topology(Reading& reading, const Node& root) {
  const std::size_t before = reading.mistakes.count();
  read_defaults(reading, root);
  const bool all_names = names_are_whole(root);
  reading.topology.doubtful = reading.mistakes.count() != before || !all_names || !cables_are_whole(root);
  read_keys(reading, root, "a topology file", keys, reading.topology, nullptr, hint_for);
  if (!gives(root, "topology", names_of(keys))) reading.mistakes.add(Position{1, 1, 0}, {}, no_name, no_name_hint);
  check_names(reading.topology, all_names, reading.mistakes);
}

std::vector<Place> known_places() {
  std::vector<Place> places{{"topology", names_of(keys)}};
  add_bridge_places(places);
  add_namespace_places(places);
  add_attachment_places(places);
  add_route_places(places);
  add_link_places(places);
  add_policy_places(places);
  add_command_places(places);
  add_default_places(places);
  return places;
}

}  // namespace reading

Loaded load(const std::string& path, const LoadOptions& options) {
  return reading::load_by([&](Sources& sources, reading::Mistakes& mistakes) { return reading::gather(path, options, sources, mistakes); }, options);
}

Loaded load_text(std::string text, const std::string& name, const LoadOptions& options) {
  return reading::load_by(
      [&](Sources& sources, reading::Mistakes& mistakes) { return reading::gather_text(std::move(text), name, options, sources, mistakes); },
      options);
}

}  // namespace topo
