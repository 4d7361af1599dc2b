// What is shown again and again: in place on a terminal, one after another elsewhere.
#pragma once

#include <string>

namespace topo::cli {

class Screen {
 public:
  Screen();
  /// Shows `text`, where it is not what was shown last. On a terminal its first lines, as many as there is room for.
  void show(const std::string& text);

 private:
  bool is_terminal_;
  std::string shown_;
  bool is_first_ = true;
};

}  // namespace topo::cli
