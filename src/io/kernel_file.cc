#include "io/kernel_file.h"

namespace adbrook::io {

int descriptor_of(const File& file) {
  const auto* ours = dynamic_cast<const KernelFile*>(&file);
  return ours == nullptr ? -1 : ours->descriptor();
}

Result<void> write_pieces_at(File& file, std::uint64_t position, std::span<const ByteView> pieces) {
  if (auto* ours = dynamic_cast<KernelFile*>(&file)) return ours->write_pieces_at(position, pieces);
  Buffer joined;
  for (const ByteView piece : pieces) append(joined, piece);
  return file.write_at(position, joined);
}

void begin_sync(File& file, std::uint64_t position, std::size_t size) {
  if (auto* ours = dynamic_cast<KernelFile*>(&file)) ours->begin_sync(position, size);
}

}  // namespace adbrook::io
