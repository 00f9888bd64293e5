// The names of a checkpoint's files: a kind and a number of 20 digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace adbrook::state {

inline constexpr std::string_view kManifestKind = "manifest-";
inline constexpr std::string_view kBlobsKind = "blobs-";
inline constexpr std::string_view kRunKind = "run-";

// The number in a file name of this kind, if it is one.
std::optional<std::uint64_t> number_in(std::string_view name, std::string_view kind);
std::string numbered_path(const std::string& directory, std::string_view kind,
                          std::uint64_t number);

}  // namespace adbrook::state
