#pragma once

#include <string>
#include <string_view>

#include "core/io/memory_map.h"

namespace automodel::io {

/// Whether bytes begin as a gzip member does.
bool is_gzip(std::string_view bytes);

/// Decompresses all members into an unnamed file in the system's temporary folder and maps it.
/// `origin` names the data in messages. Throws Error(kData) for a broken or truncated stream, Error(kIo) when
/// the temporary folder is full.
MemoryMap gunzip(std::string_view bytes, const std::string& origin);

}  // namespace automodel::io
