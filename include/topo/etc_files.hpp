// The files of a namespace's /etc.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace topo {

struct EtcFile {
  std::uint32_t mode = 0644;                        ///< permissions; with the bits of its type where it is no regular file
  std::shared_ptr<const std::string> content = {};  ///< shared by all who have the same; of a link where it leads to
  [[nodiscard]] const std::string& text() const {
    static const std::string none;
    return content ? *content : none;
  }
  bool operator==(const EtcFile& other) const { return mode == other.mode && text() == other.text(); }
};
using EtcFiles = std::map<std::string, EtcFile>;  ///< by path below /etc: "frr/frr.conf"

}  // namespace topo
