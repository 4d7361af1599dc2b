// Kernel settings of the namespace that the calling thread is in (proc_sys_net(5)).
#pragma once

#include <optional>
#include <string>

#include "topo/error.hpp"

namespace topo::kernel {

/// The value of `name` ("net/ipv4/ip_forward") here: without the end of line, runs of white space as one tab. nullopt: there is no such key.
[[nodiscard]] Result<std::optional<std::string>> read_sysctl(const std::string& name);
/// Whether an error of read_sysctl says that there is nothing to read: the file can only be written, or has no value before one is set.
[[nodiscard]] bool has_no_value(const Error& error);

[[nodiscard]] Result<void> write_sysctl(const std::string& name, const std::string& value);

}  // namespace topo::kernel
