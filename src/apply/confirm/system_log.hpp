// The system's log, for what happens when nobody looks on.
#pragma once

#include <string>

namespace topo {

/// Sends a line to the system's log by its socket, /dev/log, as syslog(3) does; unlike that it never waits for a log that has stopped, and owns no
/// descriptor afterwards. `severity` is LOG_ERR or another of syslog.h. What nobody takes is lost.
void tell_system_log(int severity, const std::string& text);

}  // namespace topo
