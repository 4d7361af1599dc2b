// What the command line said, as plain values: commands know nothing of the parser.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "topo/firewall.hpp"

namespace topo::cli {

enum class Format { text, json, junit };
enum class PictureFormat { svg, html, dot, mermaid, json };
enum class Color { automatic, always, never };

struct Arguments {
  std::vector<std::string> operands;      ///< files, topologies or the namespace, by command
  std::vector<std::string> command_line;  ///< exec, run: the command and its arguments, untouched
  std::string in;                         ///< run: the namespace; empty: the host
  std::map<std::string, std::string> set;
  std::size_t max_bytes = std::size_t{1} << 20;
  double lock_timeout_s = 30;
  std::optional<double> confirm_s;  ///< apply: to be taken back unless it is confirmed in this time
  Format format = Format::text;
  Color color = Color::automatic;
  std::optional<FirewallChoice> firewall;  ///< nullopt: as it was, else automatic
  bool yes = false;
  bool dry_run = false;
  bool take_port = false;
  bool all = false;
  bool outside = false;
  bool fix = false;
  bool watch = false;
  std::optional<PictureFormat> picture;  ///< graph
  bool live = false;
  bool open = false;
  bool follow = false;  ///< logs
};

}  // namespace topo::cli
