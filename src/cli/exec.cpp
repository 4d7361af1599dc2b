#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "cli/commands.hpp"
#include "cli/environment.hpp"
#include "cli/inside.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "kernel/entrance.hpp"

namespace topo::cli {
namespace {

constexpr int cannot_invoke = 126, not_found = 127;  // env(1)

}  // namespace

Result<void> enter_named(const std::string& ns) {
  auto entered = kernel::enter_named(ns);
  if (!entered) return std::move(entered).error();
  for (const auto& warning : *entered) warn(warning);
  return {};
}

int cannot_run(const std::string& program, int problem) {
  complain(Error{Exit::rolled_back, "cannot run " + program, {}, std::strerror(problem), {}, {}});
  return problem == ENOENT ? not_found : cannot_invoke;
}

namespace {

/// As execve(2) takes them, as long as `words` lives.
std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> all;
  for (auto& word : words) all.push_back(word.data());
  all.push_back(nullptr);
  return all;
}

int run_inside(const std::string& ns, std::vector<std::string> command) {
  if (auto allowed = need_privilege("enter a namespace"); !allowed) return static_cast<int>(complain(allowed.error()));
  if (auto entered = enter_named(ns); !entered) return static_cast<int>(complain(entered.error()));
  auto environment = clean_environment(environ);
  close_others_on_exec();
  // Found by the caller's own PATH, which it is given as well.
  ::execvpe(command.front().c_str(), pointers(command).data(), pointers(environment).data());
  return cannot_run(command.front(), errno);
}

}  // namespace

int exec(const Arguments& arguments) {
  if (!arguments.command_line.empty()) return run_inside(arguments.operands.front(), arguments.command_line);
  return static_cast<int>(complain(Error{Exit::invalid, "no command to run", {}, {}, "usage: topo exec NS [--] COMMAND...", {}}));
}

int shell(const Arguments& arguments) {
  const char* chosen = std::getenv("SHELL");
  return run_inside(arguments.operands.front(), {chosen != nullptr && *chosen != '\0' ? chosen : "/bin/sh"});
}

}  // namespace topo::cli
