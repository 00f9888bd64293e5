// Text that people read: quoting of untrusted bytes, "did you mean", UTF-8 checks.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace adbrook {

// The text with control characters, quotes and broken UTF-8 as \xNN, cut to `size_max` bytes and
// marked with "..." when cut. Everything that shows foreign text goes through this.
std::string printable(std::string_view text, std::size_t size_max = 120);

bool is_valid_utf8(std::string_view text);

// The candidate with the smallest edit distance, or empty when none is close (distance at most a
// third of the length, at least one).
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

// " (did you mean 'x'?)" or nothing.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

// RFC 4648, with padding.
std::string base64(std::string_view bytes);

// 1234567 as "1,234,567".
std::string with_thousands(long long number);

}  // namespace adbrook
