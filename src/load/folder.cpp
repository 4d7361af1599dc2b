#include "load/folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>

#include "vocabulary/fields.hpp"

namespace topo::reading {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t entries_max = 1000;
constexpr std::uint32_t permissions = 0777;

bool is_plain(const std::string& name) {
  return name.size() <= 255 && std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c <= '~' && c != '\\'; });
}

class Reader {
 public:
  Reader(Folder& folder, std::size_t max_bytes) : folder_(folder), left_(max_bytes), max_bytes_(max_bytes) {}

  std::optional<FolderProblem> read(const fs::path& path, const std::string& below) {
    std::error_code error;
    std::vector<fs::directory_entry> entries;
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error)) entries.push_back(*at);
    if (error) return FolderProblem{below, error.message(), ""};
    entries_ += entries.size();
    if (entries_ > entries_max) return FolderProblem{"", "holds more than " + std::to_string(entries_max) + " files and folders", ""};
    for (const auto& entry : entries) {
      const std::string name = entry.path().filename().string(), inside = below.empty() ? name : below + "/" + name;
      if (!is_plain(name)) return FolderProblem{inside, "has another name than letters, digits and signs", ""};
      const auto status = entry.symlink_status(error);
      if (error) return FolderProblem{inside, error.message(), ""};
      std::optional<FolderProblem> problem;
      if (fs::is_directory(status)) {
        problem = read(entry.path(), inside);
      } else if (fs::is_regular_file(status)) {
        problem = read_file(entry.path(), inside, static_cast<std::uint32_t>(status.permissions()) & permissions);
      } else {
        problem = FolderProblem{inside, "is neither a file nor a folder", fs::is_symlink(status) ? "put the file itself there instead of the link" : ""};
      }
      if (problem) return problem;
    }
    return std::nullopt;
  }

 private:
  std::optional<FolderProblem> read_file(const fs::path& path, const std::string& inside, std::uint32_t mode) {
    // No more than its size says: to read what a kernel makes up (/proc/kmsg) may take for ever.
    std::error_code error;
    const auto size = fs::file_size(path, error);
    if (error) return FolderProblem{inside, error.message(), ""};
    if (size > left_) return FolderProblem{"", "holds more than " + std::to_string(max_bytes_) + " bytes", "--max-size allows more"};
    std::ifstream stream(path, std::ios::binary);
    if (!stream) return FolderProblem{inside, "cannot be opened", ""};
    std::string text(static_cast<std::size_t>(size), '\0');
    if (!text.empty()) stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (stream.bad()) return FolderProblem{inside, "cannot be read", ""};
    text.resize(static_cast<std::size_t>(stream.gcount()));
    left_ -= text.size();
    folder_.files[inside] = {mode, std::make_shared<const std::string>(std::move(text))};
    return std::nullopt;
  }

  Folder& folder_;
  std::size_t left_;
  std::size_t max_bytes_;
  std::size_t entries_ = 0;
};

}  // namespace

std::optional<FolderProblem> read_folder(const std::string& path, std::size_t max_bytes, Folder& folder) {
  std::error_code error;
  const auto status = fs::status(path, error);
  if (error || !fs::exists(status)) return FolderProblem{"", "there is no such folder", ""};
  if (!fs::is_directory(status)) return FolderProblem{"", "is no folder", ""};
  folder.path = fs::absolute(path, error).lexically_normal().string();
  if (folder.path.size() > 1 && folder.path.ends_with('/')) folder.path.pop_back();
  return Reader(folder, max_bytes).read(path, "");
}

std::string to_text(const Folder& folder) {
  std::string text;
  append_field(text, folder.path);
  for (const auto& [path, file] : folder.files) {
    append_field(text, path);
    append_field(text, std::to_string(file.mode));
    append_field(text, file.text());
  }
  return text;
}

std::optional<Folder> folder_from(std::string_view text) {
  Folder folder;
  auto path = take_field(text);
  if (!path) return std::nullopt;
  folder.path = *std::move(path);
  while (!text.empty()) {
    auto name = take_field(text);
    const auto mode = take_number(text);
    auto content = take_field(text);
    if (!name || !mode || !content) return std::nullopt;
    folder.files[*std::move(name)] = {static_cast<std::uint32_t>(*mode), std::make_shared<const std::string>(*std::move(content))};
  }
  return folder;
}

}  // namespace topo::reading
