#pragma once

#include <filesystem>
#include <functional>
#include <vector>

/// What a Hugging Face folder holds beside its weights: the same in every folder that we write.
namespace automodel::checkpoint {

/// Whether a file belongs to a tokenizer: vocabularies, templates, special tokens. `file` may be relative.
bool is_tokenizer_file(const std::filesystem::path& file);

/// Copies the files of a folder, but no weights and no data sets, and the folders in it that hold nothing
/// but text that loading may read (chat templates, Python code, configurations). `wanted` is asked with the
/// path below `from`. Gives the folders that are left out.
std::vector<std::filesystem::path> copy_side_files(
    const std::filesystem::path& from,
    const std::filesystem::path& to,
    const std::function<bool(const std::filesystem::path&)>& wanted);

/// Says which folders were left out.
void warn_of_left_out(const std::vector<std::filesystem::path>& folders);

/// Copies the tokenizer that a run has loaded from these files, with what its folder holds of it beside them.
void copy_tokenizer(const std::vector<std::filesystem::path>& files, const std::filesystem::path& to);

}  // namespace automodel::checkpoint
