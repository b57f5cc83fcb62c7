#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

namespace automodel {

/// The whole file. Throws Error(kIo) naming the path and the system's reason.
std::string read_file(const std::filesystem::path& path);

/// Reads a file from front to end and hands on each block (256 KiB, the last one shorter). Throws Error(kIo).
void read_blocks(const std::filesystem::path& path, const std::function<void(std::string_view)>& use);

/// Writes to a temporary neighbour, fsyncs, renames over `path`, fsyncs the folder: after a crash the file is
/// the old one or the new one, never half of it. Throws Error(kIo), e.g. on a full disk, leaving the old
/// file.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// Makes a folder's entries (a rename into it) durable.
void fsync_folder(const std::filesystem::path& folder);

/// Makes a file's bytes durable.
void fsync_file(const std::filesystem::path& path);

}  // namespace automodel
