#include "state/manifest.h"

#include "base/hash.h"
#include "state/blob_reader.h"

namespace adbrook::state {
namespace {

constexpr std::string_view kMagic = "ADBRCKPT";
constexpr std::uint32_t kFormatVersion = 1;
constexpr std::size_t kCheckedFrom = kMagic.size() + 4 + 4;  // behind version and checksum

void append_text(Buffer& to, std::string_view text) {
  append_le(to, static_cast<std::uint32_t>(text.size()));
  append(to, as_bytes(text));
}

void read_positions(BlobReader& reader, std::vector<InputPosition>& positions) {
  const auto count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    InputPosition position;
    position.input = reader.text();
    position.offset.value = reader.number<std::int64_t>();
    positions.push_back(std::move(position));
  }
}

std::vector<Extent> read_extents(BlobReader& reader) {
  std::vector<Extent> extents;
  const auto count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    Extent extent;
    extent.file = reader.number<std::uint64_t>();
    extent.position = reader.number<std::uint64_t>();
    extent.length = reader.number<std::uint64_t>();
    extent.crc = reader.number<std::uint32_t>();
    extents.push_back(extent);
  }
  return extents;
}

void read_blobs(BlobReader& reader, Blobs& blobs) {
  const auto count = reader.number<std::uint32_t>();
  for (std::uint32_t i = 0; i < count && reader.good(); ++i) {
    std::string name(reader.text());
    blobs.insert_or_assign(std::move(name), read_extents(reader));
  }
}

std::unexpected<Error> corrupt(std::string why) {
  return fail(ErrorKind::corrupt, "the checkpoint manifest cannot be read: " + std::move(why) +
                                      "; an older checkpoint or the inputs are read instead");
}

}  // namespace

Buffer Manifest::encode() const {
  Buffer body;
  append_le(body, number);
  append_le(body, head.commit_number);
  append_le(body, head.topology_fingerprint);
  append_le(body, static_cast<std::uint32_t>(head.positions.size()));
  for (const InputPosition& position : head.positions) {
    append_text(body, position.input);
    append_le(body, position.offset.value);
  }
  append_le(body, static_cast<std::uint32_t>(blobs.size()));
  for (const auto& [name, extents] : blobs) {
    append_text(body, name);
    append_le(body, static_cast<std::uint32_t>(extents.size()));
    for (const Extent& extent : extents) {
      append_le(body, extent.file);
      append_le(body, extent.position);
      append_le(body, extent.length);
      append_le(body, extent.crc);
    }
  }
  Buffer bytes;
  append(bytes, as_bytes(kMagic));
  append_le(bytes, kFormatVersion);
  append_le(bytes, crc32c(body));
  append(bytes, body);
  return bytes;
}

Result<Manifest> Manifest::decode(ByteView bytes) {
  BlobReader reader(bytes);
  if (as_text(reader.bytes(kMagic.size())) != kMagic) return corrupt("it does not begin as one");
  const auto version = reader.number<std::uint32_t>();
  const auto crc = reader.number<std::uint32_t>();
  if (!reader.good()) return corrupt("it ends within its head");
  if (version != kFormatVersion) {
    return fail(ErrorKind::unsupported,
                "the checkpoint manifest has format version " + std::to_string(version) +
                    ", this program knows " + std::to_string(kFormatVersion) +
                    "; use the program that wrote it, or remove the task's state directory to "
                    "build the state again from its inputs");
  }
  if (crc32c(bytes.subspan(kCheckedFrom)) != crc) return corrupt("its checksum does not match");
  Manifest manifest;
  manifest.number = reader.number<std::uint64_t>();
  manifest.head.commit_number = reader.number<std::uint64_t>();
  manifest.head.topology_fingerprint = reader.number<std::uint64_t>();
  read_positions(reader, manifest.head.positions);
  read_blobs(reader, manifest.blobs);
  if (!reader.ended_well()) return corrupt("its lists do not end where it ends");
  return manifest;
}

}  // namespace adbrook::state
