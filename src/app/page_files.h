// The dashboard's files inside the binary. Their table is written by web/build.mjs when the page is
// built, each file plain and compressed.
#pragma once

#include <span>
#include <string_view>

namespace adbrook::app {

struct PageFile {
  std::string_view path;  // "/" or "/assets/NAME-HASH.EXTENSION"
  std::string_view content_type;
  std::string_view tag;  // changes with the bytes
  std::string_view plain;
  std::string_view gzip;
  std::string_view brotli;
};

std::span<const PageFile> page_files();

}  // namespace adbrook::app
