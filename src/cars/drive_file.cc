#include "cars/drive_file.h"

#include "base/text.h"
#include "cars/drive_rows.h"
#include "record/compression.h"

namespace adbrook::cars {
namespace {

constexpr std::string_view kGzipMagic = "\x1f\x8b";

std::string_view without_endings(std::string_view name) {
  for (const std::string_view ending : {".gz", ".json", ".csv"})
    if (name.ends_with(ending)) name.remove_suffix(ending.size());
  return name.substr(0, kRouteSizeMax);
}

enum class FileKind { envirocar, openxc, carobd, unknown };

// A GeoJSON file is one object over many lines; an OpenXC line is a whole one that begins with the
// signal's name, perhaps behind a time.
FileKind kind_of(std::string_view text) {
  const std::string_view head = text.substr(0, 4096);
  if (head.starts_with("ENGINE_RUN_TI")) return FileKind::carobd;
  const auto line = head.substr(0, head.find('\n'));
  if (line.find("\"name\":") != line.npos && line.find("\"value\":") != line.npos &&
      line.find("\"features\"") == line.npos)
    return FileKind::openxc;
  return text.find("\"features\"") != text.npos ? FileKind::envirocar : FileKind::unknown;
}

Result<void> read_kind(std::string_view text, const DriveFileOptions& options, Drive& drive) {
  switch (kind_of(text)) {
    case FileKind::envirocar: return read_envirocar(text, drive);
    case FileKind::openxc:
      if (drive.car.empty()) drive.car = "openxc";
      return read_openxc(text, drive);
    case FileKind::carobd:
      if (drive.car.empty()) drive.car = "carobd";
      return read_carobd(text, options.start, drive);
    case FileKind::unknown: break;
  }
  return fail(ErrorKind::invalid,
              "it begins like no enviroCar track, OpenXC trace or carOBD log; see docs/cars.md for "
              "what can be read");
}

}  // namespace

Result<Drive> read_drive(ByteView file, const DriveFileOptions& options) {
  Drive drive;
  drive.car = options.car;
  drive.route = without_endings(options.name);
  Buffer unpacked;
  if (as_text(file).starts_with(kGzipMagic)) {
    auto plain = record::decompress(record::Compression::gzip, file, kDriveFileSizeMax);
    if (!plain) return pass(plain.error(), printable(options.name));
    unpacked = std::move(*plain);
    file = unpacked;
  }
  if (auto read = read_kind(as_text(file), options, drive); !read)
    return pass(read.error(), printable(options.name));
  if (drive.readings.empty())
    return fail(ErrorKind::invalid, printable(options.name) + ": no row has a signal that we know");
  return drive;
}

}  // namespace adbrook::cars
