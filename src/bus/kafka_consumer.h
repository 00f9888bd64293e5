// Reads records of a topic from any Kafka cluster: from positions of the caller's choice, or as a
// member of a group.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "base/time.h"
#include "bus/bus.h"
#include "bus/kafka_options.h"

namespace adbrook::bus {

struct KafkaHeader {
  std::string_view name;
  std::optional<ByteView> value;
};

// One record as it came; the views live as long as what they point into.
struct KafkaRecord {
  std::string_view topic;
  std::int32_t partition = 0;
  Offset offset;
  std::optional<Timestamp> time;
  std::optional<ByteView> key;
  std::optional<ByteView> value;
  std::vector<KafkaHeader> headers;
};

struct KafkaPolled {
  enum class Kind { nothing, record, end_of_partition };
  Kind kind = Kind::nothing;
  KafkaRecord record;  // of the end: topic, partition and the offset of the next record
};

// Owned by one thread. Records are taken one by one: librdkafka 2.0.2's batch calls can skip some
// after a pause.
class KafkaConsumer {
 public:
  // A consumer that belongs to no group and leaves no trace; read_committed unless the properties
  // say otherwise.
  static Result<KafkaConsumer> open(const KafkaOptions& options);
  // A member of `group` that reads `topic`; starts where the group has committed, else where
  // auto.offset.reset says. The other members may get some of the partitions at any time.
  static Result<KafkaConsumer> join(const KafkaOptions& options, const std::string& group,
                                    const std::string& topic);

  KafkaConsumer(KafkaConsumer&&) noexcept;
  KafkaConsumer& operator=(KafkaConsumer&&) noexcept;
  // Leaves the group when close() was not called.
  ~KafkaConsumer();

  // Where reading can begin and what ends it now, as this consumer sees it (the last stable offset
  // when it reads committed only), in the order of `partitions`.
  Result<std::vector<Ends>> ends(std::span<const Partition> partitions);

  // Starts to read these partitions of one topic from these offsets. Once, and not in a group.
  Result<void> start(std::span<const Commit::Position> positions);

  // Waits at most `patience`. The record stays valid until the next call.
  Result<KafkaPolled> poll(Millis patience);

  // In a group: the partitions that this member has now.
  std::vector<Partition> assigned() const;

  // In a group: everything below these offsets is done with. They are committed within five
  // seconds, when a partition goes to somebody else, and by close().
  void done_with(std::span<const Commit::Position> positions);

  // Commits and leaves the group.
  Result<void> close();

 private:
  struct State;
  explicit KafkaConsumer(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

}  // namespace adbrook::bus
