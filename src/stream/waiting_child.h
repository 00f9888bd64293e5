// A child that waits for its parent, as bytes: its encoded record and where it first arrived.
// Drawn in docs/formats/task-changelog.md.
#pragma once

#include "base/bytes.h"
#include "record/batch.h"
#include "stream/rows.h"

namespace adbrook::stream {

// Views into the bytes it was decoded from.
struct WaitingChild {
  record::RecordView record;
  RowMeta meta;
};

void encode_waiting_child(const RowMeta& meta, Buffer& to);
// The bytes are encode_waiting_child()'s own, checked with the checkpoint they came from.
WaitingChild decode_waiting_child(ByteView from);

}  // namespace adbrook::stream
