#include "app/click_key.h"

namespace adbrook::app {
namespace {

std::string key_path(const std::string& data_directory) { return data_directory + "/click.key"; }

}  // namespace

Result<Buffer> load_click_key(io::FileSystem& files, const std::string& data_directory) {
  const std::string path = key_path(data_directory);
  const auto exists = files.exists(path);
  if (!exists) return pass(exists.error());
  if (!*exists)
    return fail(ErrorKind::not_found, path +
                                          ": there is no key yet; start the engine once on this "
                                          "data directory, it makes one");
  auto key = io::read_whole_file(files, path, kClickKeySize + 1);
  if (key && key->size() == kClickKeySize) return key;
  return fail(ErrorKind::corrupt, path + ": the key must have " + std::to_string(kClickKeySize) +
                                      " bytes; restore it, or remove it to make all signed links "
                                      "invalid and get a new one");
}

Result<Buffer> load_or_make_click_key(io::FileSystem& files, io::Random& random,
                                      const std::string& data_directory) {
  auto key = load_click_key(files, data_directory);
  if (key || key.error().kind != ErrorKind::not_found) return key;
  Buffer fresh(kClickKeySize);
  random.fill(fresh);
  const auto written = io::write_file_atomically(files, key_path(data_directory), fresh);
  if (!written) return pass(written.error());
  return fresh;
}

}  // namespace adbrook::app
