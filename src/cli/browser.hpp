// The browser of the person who called topo.
#pragma once

#include <string>

#include "kernel/file_descriptor.hpp"
#include "topo/error.hpp"

namespace topo::cli {

/// A process of its own that belongs to that person: under sudo(8) it gives up root for good before it does anything else. It takes one document, writes it
/// to a file that only they can read, and starts xdg-open(1) on it. As root in person no browser is started.
class Browser {
 public:
  /// `ending` of the file's name: ".html".
  [[nodiscard]] static Result<Browser> start(const std::string& ending);

  /// Shows the document and gives the file's path. Exit::unsupported, with the path, where the document was written but no browser was started. To be
  /// called once.
  [[nodiscard]] Result<std::string> show(const std::string& document);

 private:
  kernel::FileDescriptor document_, report_;
};

}  // namespace topo::cli
