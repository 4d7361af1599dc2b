#include "doctor/doctor.hpp"

#include <algorithm>
#include <cstdlib>
#include <iterator>

#include "cli/commands.hpp"
#include "cli/inputs.hpp"
#include "cli/output.hpp"
#include "cli/privilege.hpp"
#include "kernel/private_host.hpp"
#include "report/rows.hpp"
#include "topo/names.hpp"

namespace topo::cli {
namespace {

using doctor::Finding, doctor::Findings;
using Grade = Finding::Grade;
using Json = nlohmann::ordered_json;

constexpr const char* format = "topo.doctor/1";

void append(Findings& found, Findings more) { found.insert(found.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end())); }

/// As one word of a shell's.
std::string quoted(const std::string& word) {
  constexpr std::string_view plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-";
  if (!word.empty() && word.find_first_not_of(plain) == std::string::npos) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

/// What a command is given for it to be about the same topology.
std::string operands_of(const Input& input, const Arguments& arguments) {
  std::string text;
  for (const auto& [name, value] : arguments.set) text += "--set " + quoted(name + "=" + value) + " ";
  return text + quoted(input.path);
}

/// What there is to say to whoever may look at everything.
Findings examine_all(const std::vector<doctor::Patient>& patients, doctor::Modules modules, FirewallChoice firewall) {
  drop_privileges();
  Findings found = doctor::examine_host(patients, firewall);
  found.push_back(doctor::examine_user_namespaces(false));
  append(found, doctor::examine_kernel(patients, modules, firewall));
  return found;
}

/// Without privilege: how far `topo run` gets.
Findings examine_private(const std::vector<doctor::Patient>& patients, FirewallChoice firewall) {
  Findings found{{"this host", Grade::note, "was not looked at, which takes root", "sudo topo doctor"}};
  found.push_back(doctor::examine_user_namespaces(true));
  if (auto became = kernel::become_root(); !became) {
    const Error& error = became.error();
    if (found.back().grade == Grade::ok) found.back() = {"user namespaces", Grade::missing, error.what + ": " + error.kernel, error.remedy};
    return found;
  }
  append(found, doctor::examine_kernel(patients, doctor::Modules::out_of_reach, firewall));
  return found;
}

std::size_t count_of(const Findings& found, Grade grade) {
  return static_cast<std::size_t>(std::count_if(found.begin(), found.end(), [&](const Finding& finding) { return finding.grade == grade; }));
}

Exit exit_of(const Findings& found) {
  if (count_of(found, Grade::missing) > 0) return Exit::unsupported;
  return count_of(found, Grade::problem) > 0 ? Exit::difference : Exit::ok;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

void show(const Findings& found) {
  constexpr std::size_t grade_width = 9;
  std::size_t width = 0;
  for (const auto& finding : found) width = std::max(width, finding.subject.size() + 2);
  for (const auto& finding : found) {
    std::string line = padded(doctor::to_string(finding.grade), grade_width) + padded(finding.subject, width) + finding.words;
    say(printable(line.substr(0, line.find_last_not_of(' ') + 1)));
    if (!finding.remedy.empty()) say(std::string(grade_width + width, ' ') + printable(finding.remedy));
  }
  std::string summary;
  for (const auto grade : {Grade::missing, Grade::problem, Grade::warning}) {
    if (const auto count = count_of(found, grade); count > 0) {
      summary += (summary.empty() ? "" : ", ") +
                 (grade == Grade::missing ? std::to_string(count) + " missing" : report::counted(count, doctor::to_string(grade)));
    }
  }
  say(summary.empty() ? "\nnothing is in the way" : "\n" + summary);
}

Json to_json(const Findings& found) {
  auto entries = Json::array();
  for (const auto& finding : found) {
    Json entry{{"subject", finding.subject}, {"grade", doctor::to_string(finding.grade)}};
    if (!finding.words.empty()) entry["words"] = finding.words;
    if (!finding.remedy.empty()) entry["remedy"] = finding.remedy;
    entries.push_back(std::move(entry));
  }
  return entries;
}

}  // namespace

Exit doctor(const Arguments& arguments) {
  const auto inputs = load_inputs(arguments, format);
  if (!inputs) return Exit::invalid;
  std::vector<doctor::Patient> patients;
  for (const auto& input : *inputs) patients.push_back({input.topology.name.value, &input.desired.graph, operands_of(input, arguments)});
  const auto allowed = need_privilege("load kernel modules");
  if (!allowed && arguments.fix) return complain(allowed.error(), arguments, format);
  ::unsetenv("XTABLES_LOCKFILE");  // the machine's: what is tried is tried on a private host
  const auto modules = arguments.fix ? doctor::Modules::load : doctor::Modules::leave;
  const auto choice = arguments.firewall.value_or(FirewallChoice::automatic);
  const Findings found = allowed ? examine_all(patients, modules, choice) : examine_private(patients, choice);
  const Exit exit = exit_of(found);
  if (arguments.format == Format::json) {
    say_json(Json{{"format", format}, {"exit", static_cast<int>(exit)}, {"findings", to_json(found)}});
  } else {
    show(found);
  }
  return exit;
}

}  // namespace topo::cli
