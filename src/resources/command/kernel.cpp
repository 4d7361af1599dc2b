#include "resources/command/kernel.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <set>
#include <thread>

#include "firewall/listeners.hpp"
#include "kernel/file_descriptor.hpp"
#include "kernel/launcher.hpp"
#include "kernel/tree.hpp"
#include "topo/names.hpp"

namespace topo {
namespace {

using kernel::Keeper;
using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause{5};
constexpr std::chrono::milliseconds slack{5'000};  // of a keeper that has just killed what it keeps
constexpr std::chrono::milliseconds moment{100};   // in which one that cannot do its work mostly ends
constexpr std::uint8_t tcp = 6;
constexpr const char* usual_path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// The end of a log.
std::vector<std::string> last_lines(const std::string& path) {
  constexpr off_t most = 2048;
  constexpr std::size_t lines_max = 10;
  const kernel::FileDescriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  const off_t size = file ? ::lseek(file.get(), 0, SEEK_END) : 0;
  std::string text(static_cast<std::size_t>(std::clamp<off_t>(size, 0, most)), '\0');
  const ssize_t got = text.empty() ? 0 : ::pread(file.get(), text.data(), text.size(), std::max<off_t>(size - most, 0));
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end > begin) lines.push_back("| " + printable(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
  }
  if (size > most && lines.size() > 1) lines.erase(lines.begin());  // a part of one
  if (lines.size() > lines_max) lines.erase(lines.begin(), lines.end() - lines_max);
  return lines;
}

Error not_up(const Command& command, const std::string& what, const std::string& topology) {
  Error error{Exit::rolled_back, "command " + command.key() + " " + what, {}, {}, {}, last_lines(log_path(topology, command.ns, command.name))};
  if (error.details.empty()) error.details.emplace_back("it has printed nothing");
  return error;
}

Result<bool> listens(const kernel::Place& place, std::uint16_t port) {
  const auto sockets = firewall::listeners({place.name, place.netns.get(), place.home_fd});
  if (!sockets) return sockets.error();
  return std::any_of(sockets->begin(), sockets->end(), [&](const auto& it) { return it.protocol == tcp && it.port == port; });
}

/// One that this plan has begun to start.
struct Starting {
  Command command;
  Keeper keeper;
  Clock::time_point settled;  ///< what has not ended by then does not end at once
  bool is_ready = false;
};
using AllStarting = std::map<std::string, Starting>;

Error ended(const Starting& starting, const std::string& how, const std::string& topology) {
  const Command& command = starting.command;
  Error error = not_up(command, (command.ready && !starting.is_ready ? "ended before it was ready: " : "has ended: ") + how, topology);
  if (how == kernel::well_ended) error.remedy = "a command runs for as long as the topology is there: let it go on, as by '...; exec sleep infinity'";
  return error;
}

/// An Error where it has ended, or is about to: what it has started may take a while to end with it.
Result<void> check(Starting& starting, Execution& execution) {
  const auto kept = starting.keeper.tell();
  if (!kept) return kept.error();
  const auto deadline = *kept && (*kept)->stopping ? Clock::now() + Keeper::grace + slack : Clock::time_point();
  for (;; std::this_thread::sleep_for(pause)) {
    if (const auto end = starting.keeper.ended()) return ended(starting, *end, execution.plan.topology);
    if (Clock::now() > deadline) return {};
    if (auto go_on = execution.work.proceed("starting", 0, 1); !go_on) return go_on;
  }
}

/// Until somebody listens on its port.
Result<void> await_port(Starting& starting, Execution& execution) {
  const Command& command = starting.command;
  const auto place = execution.work.place(command.ns);
  if (!place) return place.error();
  const auto deadline = Clock::now() + std::chrono::seconds(command.ready->within_s);
  for (;; std::this_thread::sleep_for(pause)) {
    const bool late = Clock::now() > deadline;
    if (const auto end = starting.keeper.ended()) return ended(starting, *end, execution.plan.topology);
    const auto found = listens(**place, command.ready->tcp);
    if (!found) return found.error();
    if (*found) return {};
    const std::string port = std::to_string(command.ready->tcp), time = std::to_string(command.ready->within_s);
    if (late) return not_up(command, "does not listen on TCP port " + port + " within " + time + " s", execution.plan.topology);
    if (auto go_on = execution.work.proceed("starting", 0, 1); !go_on) return go_on;
  }
}

Result<void> await(Starting& starting, Execution& execution) {
  if (starting.is_ready) return {};
  if (starting.command.ready) {
    if (auto listening = await_port(starting, execution); !listening) return listening;
  }
  if (auto running = check(starting, execution); !running) return running;
  if (auto told = starting.keeper.describe(to_text(starting.command)); !told) return told;
  starting.is_ready = true;
  return {};
}

/// Waits until those that are in `names` are ready.
Result<void> await_these(AllStarting& all, const std::vector<std::string>& names, Execution& execution) {
  for (auto& [key, starting] : all) {
    if (std::find(names.begin(), names.end(), key) == names.end()) continue;
    if (auto ready = await(starting, execution); !ready) return ready;
  }
  return {};
}

/// Waits until all are ready, and have shown that they go on: one that has ended since it was ready is found here as well.
Result<void> await_all(AllStarting& all, Execution& execution) {
  for (auto& [key, starting] : all) {
    if (auto ready = await(starting, execution); !ready) return ready;
  }
  for (auto& [key, starting] : all) {
    for (; Clock::now() < starting.settled && !starting.keeper.ended(); std::this_thread::sleep_for(pause)) {
      if (auto go_on = execution.work.proceed("starting", 0, 1); !go_on) return go_on;
    }
  }
  for (auto& [key, starting] : all) {
    if (auto running = check(starting, execution); !running) return running;
  }
  return {};
}

Result<void> start(const Command& wanted, const std::shared_ptr<AllStarting>& all, Execution& execution) {
  const std::string& topology = execution.plan.topology;
  if (auto ready = await_these(*all, wanted.after, execution); !ready) return ready;
  if (auto go_on = execution.work.proceed("starting", 0, 1); !go_on) return go_on;
  if (!execution.launcher) {
    auto made = kernel::Launcher::make({usual_path});
    if (!made) return std::move(made).error();
    execution.launcher = *std::move(made);
  }
  const std::string log = log_path(topology, wanted.ns, wanted.name);
  if (auto made = kernel::make_folders({state_folder, topology, "log", wanted.ns}); !made) return std::move(made).error();
  Command begun = wanted;
  begun.amiss = not_ready;
  const auto place = command_place(topology, wanted.ns, wanted.name);
  auto keeper = execution.launcher->start({place, wanted.ns, wanted.words, to_text(begun), log});
  if (!keeper) return std::move(keeper).error();
  all->emplace(wanted.key(), Starting{wanted, *std::move(keeper), Clock::now() + moment});
  return {};
}

/// What this plan has begun to start, one for all commands of it.
std::shared_ptr<AllStarting> starting_of(Execution& execution) {
  auto& kept = execution.starting;
  if (!kept) {
    const auto made = std::make_shared<AllStarting>();
    kept = made;
    execution.work.at_last([made, &execution] { return await_all(*made, execution); });
  }
  return std::static_pointer_cast<AllStarting>(kept);
}

/// Until whatever is stopped has ended.
Result<void> await_end(Keeper& keeper, const Command& command) {
  const auto deadline = Clock::now() + Keeper::grace + slack;
  for (; Clock::now() < deadline; std::this_thread::sleep_for(pause)) {
    if (keeper.ended() && keeper.is_gone()) return {};
  }
  return Error{Exit::rolled_back, "command " + command.key() + " cannot be stopped", {}, "it is still there after SIGKILL", {}, {}};
}

void forget_log(const std::string& topology, const Command& command) {
  const std::string log = log_path(topology, command.ns, command.name);
  (void)::unlink(log.c_str());
  (void)::rmdir(folder_of(log).c_str());
  (void)::rmdir(folder_of(folder_of(log)).c_str());
}

}  // namespace

std::vector<std::string> KernelHalf<Command>::owners() {
  std::set<std::string> names;
  for (const auto& place : Keeper::places(command_prefix({}))) {
    auto owner = owner_of(place);
    if (!owner || names.contains(*owner)) continue;
    // Any user can have a socket of that name.
    const auto keeper = Keeper::find(place);
    if (keeper && *keeper) names.insert(*std::move(owner));
  }
  return {names.begin(), names.end()};
}

Result<void> KernelHalf<Command>::create(const Command& wanted, Execution& execution) {
  const auto all = starting_of(execution);
  execution.work.after_naming([wanted, all, &execution] { return start(wanted, all, execution); });
  return {};
}

Result<void> KernelHalf<Command>::update(const Command&, const Command& after, Execution& execution) {
  const auto all = starting_of(execution);
  execution.work.after_naming([after, all, &execution]() -> Result<void> {
    const std::string& topology = execution.plan.topology;
    auto keeper = Keeper::find(command_place(topology, after.ns, after.name));
    if (!keeper) return std::move(keeper).error();
    if (!*keeper) return not_up(after, "has ended", topology);
    all->emplace(after.key(), Starting{after, std::move(**keeper), {}});
    return {};
  });
  return {};
}

Result<void> KernelHalf<Command>::remove(const Command& live, Execution& execution) {
  const std::string topology = execution.plan.topology;
  auto found = Keeper::find(command_place(topology, live.ns, live.name));
  if (!found) return std::move(found).error();
  if (*found) {
    // All of them end at the same time.
    const auto keeper = std::make_shared<Keeper>(std::move(**found));
    if (auto told = keeper->stop(); !told) return told;
    execution.work.before_links([keeper, live] { return await_end(*keeper, live); });
  }
  execution.work.before_links([topology, live]() -> Result<void> {
    forget_log(topology, live);
    return {};
  });
  return {};
}

Result<void> KernelHalf<Command>::observe(const Reading& reading, Graph& live) {
  for (const auto& place : Keeper::places(command_prefix(reading.topology))) {
    auto keeper = Keeper::find(place);
    if (!keeper) return std::move(keeper).error();
    if (!*keeper) continue;
    const auto kept = (*keeper)->tell();
    if (!kept) return kept.error();
    auto command = *kept ? command_from((*kept)->description) : std::nullopt;
    if (!command) continue;
    const auto in = reading.places.find(command->ns);
    if (in == reading.places.end() || in->second->netns.inode() != (*kept)->netns) command->amiss = in_other_namespace;
    if ((*kept)->stopping) command->amiss = being_stopped;
    live.put(*std::move(command));
  }
  return {};
}

}  // namespace topo
