// How values of a writer's schema become values of a reader's: compiled once per pair of schemas,
// run for every value. The rules are those of the Avro specification, "Schema Resolution".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "serde/avro_schema.h"

namespace adbrook::serde {

using AvroStepIndex = std::uint32_t;

// What to do with one writer's type where the reader wants another (or the same) one.
struct AvroStep {
  enum class Kind : std::uint8_t {
    scalar,        // read `from`, keep as `to`
    enumeration,   // targets: the reader's symbol for each of the writer's, or -1
    array,         // children[0] for each item
    map,           // children[0] for each value
    record,        // children and targets per field of the writer; target -1: skip it
    writer_union,  // children per branch of the writer
    reader_union,  // children[0], then it is `branch` of the reader's union
    mismatch       // the value cannot be read; `why` says it
  };
  struct Default {
    std::size_t field;
    const AvroValue* value;  // in the reader's schema
  };

  Kind kind = Kind::mismatch;
  AvroType from = AvroType::null;
  AvroType to = AvroType::null;
  AvroNodeIndex writer = 0;  // the writer's node, for skipping and names
  std::uint32_t branch = 0;
  std::uint32_t fixed_size = 0;
  std::uint32_t field_count = 0;  // of the reader's record
  std::vector<AvroStepIndex> children;
  std::vector<std::int32_t> targets;
  std::vector<Default> defaults;
  std::string why;
};

// Immutable.
class AvroResolution {
 public:
  // invalid when no value of the writer's schema can ever be read. Keeps both schemas alive, since
  // steps point into them.
  static Result<AvroResolution> compile(std::shared_ptr<const AvroSchema> writer,
                                        std::shared_ptr<const AvroSchema> reader);

  const AvroStep& step(AvroStepIndex index) const { return steps_[index]; }
  AvroStepIndex root() const { return root_; }
  const AvroSchema& writer() const { return *writer_; }
  const AvroSchema& reader() const { return *reader_; }

 private:
  static constexpr std::size_t kDepthMax = 512;

  AvroResolution() = default;
  AvroStepIndex resolve(AvroNodeIndex from, AvroNodeIndex to);
  void fill(AvroStepIndex index, AvroNodeIndex from, AvroNodeIndex to);
  void fill_record(AvroStepIndex index, const AvroNode& from, const AvroNode& to);
  void fill_enumeration(AvroStep& step, const AvroNode& from, const AvroNode& to);
  void fill_reader_union(AvroStepIndex index, AvroNodeIndex from, const AvroNode& to);

  std::shared_ptr<const AvroSchema> writer_;
  std::shared_ptr<const AvroSchema> reader_;
  std::vector<AvroStep> steps_;
  std::map<std::pair<AvroNodeIndex, AvroNodeIndex>, AvroStepIndex> known_;
  AvroStepIndex root_ = 0;
  std::size_t depth_ = 0;
};

}  // namespace adbrook::serde
