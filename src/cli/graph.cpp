#include <unistd.h>

#include <limits>

#include "cli/browser.hpp"
#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/live.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "picture/dot.hpp"
#include "picture/json.hpp"
#include "picture/mermaid.hpp"
#include "picture/page.hpp"
#include "picture/svg.hpp"
#include "report/export.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

constexpr const char* format = "topo.graph/1";

/// More boxes than this are nothing that anybody looks at.
constexpr std::size_t most_boxes = 5000;

/// What there shall be, and where that is written.
struct Wanted {
  Topology topology;
  Desired desired;
};

/// The kernel beside it.
struct Live {
  Planned planned;
  Topology topology;
};

PictureFormat format_of(const Arguments& arguments) { return arguments.picture.value_or(arguments.open ? PictureFormat::html : PictureFormat::svg); }

/// What a file would say for `live` to be what it asks for, and what that means.
Result<Wanted> exported(const Graph& live) {
  LoadOptions options;
  options.max_bytes = std::numeric_limits<std::size_t>::max();
  Loaded loaded = load_text(report::topology_file(live), live.topology(), options);
  Wanted wanted{std::move(loaded.topology), Desired()};
  if (loaded.diagnostics.empty()) wanted.desired = desire(wanted.topology);
  if (loaded.diagnostics.empty() && wanted.desired.diagnostics.empty()) return wanted;
  const auto& mistakes = loaded.diagnostics.empty() ? wanted.desired.diagnostics : loaded.diagnostics;
  return Error{Exit::invalid, "what is here of " + live.topology() + " is no topology any more", {}, {mistakes.front().message},
               "give its file: topo graph FILE", {}};
}

Result<Live> look(const Graph& desired, const Arguments& arguments) {
  auto planned = plan_graph(live_kernels(lock_timeout(arguments), recorded_choice(desired.topology())), desired);
  if (!planned) return planned.error();
  Live live{std::move(*planned), {}};
  // What cannot be told as a file has a policy that cannot be drawn: its drift is in the plan all the same.
  if (auto file = exported(live.planned.observed.live)) live.topology = std::move(file->topology);
  return live;
}

/// What was last applied here under a name; where that is not recorded, what is here.
Result<Wanted> applied(const Arguments& arguments) {
  const auto names = topologies_here(arguments.operands);
  if (!names) return names.error();
  if (names->size() > 1) return several_here(*names, "name one");
  if (names->empty()) return Error{Exit::invalid, "no topology is here", {}, {}, "give a file: topo graph FILE", {}};
  if (auto recorded = recall_topology(names->front())) return Wanted{std::move(recorded->topology), std::move(recorded->desired)};
  auto planned = plan_graph(live_kernels(lock_timeout(arguments)), Graph(names->front()));
  if (!planned) return planned.error();
  return exported(planned->observed.live);
}

std::string drawn(const picture::Scene& scene, const Desired& desired, PictureFormat as) {
  switch (as) {
    case PictureFormat::dot:
      return picture::to_dot(scene);
    case PictureFormat::mermaid:
      return picture::to_mermaid(scene);
    case PictureFormat::svg:
      return picture::to_svg(scene, picture::lay_out(scene));
    case PictureFormat::html:
      return picture::to_html(scene, picture::lay_out(scene), picture::matrix_of(scene, desired.graph, desired.intent));
    case PictureFormat::json:
      return picture::to_json(scene, picture::lay_out(scene));
  }
  return {};
}

/// An error of the command line's own; nullopt where there is none.
std::optional<Error> misused(const Arguments& arguments) {
  const PictureFormat as = format_of(arguments);
  if (arguments.open && as != PictureFormat::html && as != PictureFormat::svg)
    return Error{Exit::invalid, "a browser shows svg and html only", {}, {}, "leave out --format or --open", {}};
  if (!arguments.open && !arguments.picture && ::isatty(STDOUT_FILENO) == 1)
    return Error{Exit::invalid, "a picture is nothing for a terminal", {}, {},
                 "write it to a file (topo graph FILE > FILE.svg), show it in the browser (--open), or say --format", {}};
  return std::nullopt;
}

Result<Wanted> wanted_by(const Arguments& arguments, std::vector<Input>&& inputs) {
  if (inputs.empty()) return applied(arguments);
  if (inputs.size() > 1) return Error{Exit::invalid, "a picture is of one topology, and these are several", {}, {}, "name one file", {}};
  return Wanted{std::move(inputs.front().topology), std::move(inputs.front().desired)};
}

Exit draw(const Wanted& wanted, const Arguments& arguments, std::optional<Browser>& browser) {
  picture::Subject subject{wanted.topology, wanted.desired.graph};
  std::optional<Live> live;
  if (arguments.live) {
    auto looked = look(wanted.desired.graph, arguments);
    if (!looked) return complain(looked.error(), arguments, format);
    live = std::move(*looked);
    subject.live = &live->planned.observed.live;
    subject.plan = &live->planned.plan;
    subject.live_topology = &live->topology;
  }
  const picture::Scene scene = picture::draw_up(subject);
  if (scene.nodes.size() > most_boxes)
    return complain(Error{Exit::invalid, std::to_string(scene.nodes.size()) + " boxes are too many for a picture (" + std::to_string(most_boxes) + ")", {}, {},
                          "namespaces that are replicas of one another are drawn as one", {}},
                    arguments, format);
  const std::string document = drawn(scene, wanted.desired, format_of(arguments));
  if (!browser) {
    say(document);
    return Exit::ok;
  }
  const auto shown = browser->show(document);
  if (!shown) return complain(shown.error(), arguments, format);
  say(printable(*shown));
  return Exit::ok;
}

}  // namespace

Exit graph(const Arguments& given) {
  Arguments arguments = given;
  const PictureFormat as = format_of(arguments);
  if (as == PictureFormat::json) arguments.format = Format::json;
  if (const auto wrong = misused(arguments)) return complain(*wrong, arguments, format);
  const bool from_file = !arguments.operands.empty() && is_file(arguments.operands.front());
  std::vector<Input> inputs;
  if (from_file) {
    auto loaded = load_inputs(arguments, format);
    if (!loaded) return Exit::invalid;
    inputs = std::move(*loaded);
  }
  if (!from_file || arguments.live) {
    if (auto allowed = need_privilege("read the network"); !allowed) return complain(allowed.error(), arguments, format);
  }
  std::optional<Browser> browser;
  if (arguments.open) {
    // It becomes the user's own, which takes the privileges that go now.
    auto made = Browser::start(as == PictureFormat::svg ? ".svg" : ".html");
    if (!made) return complain(made.error(), arguments, format);
    browser = std::move(*made);
  }
  drop_privileges();
  const auto wanted = wanted_by(arguments, std::move(inputs));
  return wanted ? draw(*wanted, arguments, browser) : complain(wanted.error(), arguments, format);
}

}  // namespace topo::cli
