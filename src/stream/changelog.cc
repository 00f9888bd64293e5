#include "stream/changelog.h"

#include <string>

namespace adbrook::stream {

namespace {

constexpr std::uint8_t kWhole = 1;
constexpr std::uint8_t kPart = 2;  // with the count of what is written
constexpr std::size_t kHeadSize = 1 + 4 * 8 + 4;
constexpr std::size_t kStepSize = 1 + 2 + 8 + 4;

// A step's one long and one short number: first offset and count, or the time and nothing.
void append_step(Buffer& to, const Step& step) {
  const bool records = step.kind == Step::Kind::records;
  append_le(to, static_cast<std::uint8_t>(step.kind));
  append_le<std::uint16_t>(to, step.input);
  append_le<std::int64_t>(to, records ? step.first.value : step.watermark.ms);
  append_le<std::uint32_t>(to, records ? static_cast<std::uint32_t>(step.end - step.first) : 0);
}

std::unexpected<Error> damaged(std::string why) {
  return fail(ErrorKind::corrupt,
              "commit record of a changelog: " + why + "; only the task may write to this topic");
}

}  // namespace

void encode(const CommitRecord& record, Buffer& to) {
  to.reserve(to.size() + kHeadSize + record.steps.size() * kStepSize);
  const bool part = record.written_count > 0;
  append_le(to, part ? kPart : kWhole);
  append_le(to, record.number);
  append_le(to, record.fingerprint);
  append_le(to, record.watermark.ms);
  append_le(to, record.digest);
  if (part) append_le(to, record.written_count);
  append_le(to, static_cast<std::uint32_t>(record.steps.size()));
  for (const Step& step : record.steps) append_step(to, step);
}

Result<CommitRecord> decode_commit_record(ByteView from) {
  if (from.empty()) return damaged("is empty");
  const auto version = load_le<std::uint8_t>(from.data());
  if (version != kWhole && version != kPart)
    return fail(ErrorKind::unsupported, "commit record of version " + std::to_string(version) +
                                            " is unknown here; run the newer program");
  const std::size_t head_size = kHeadSize + (version == kPart ? 8 : 0);
  if (from.size() < head_size) return damaged("is cut off");
  const std::byte* at = from.data() + 1;
  CommitRecord record;
  record.number = load_le<std::uint64_t>(at);
  record.fingerprint = load_le<std::uint64_t>(at + 8);
  record.watermark = {load_le<std::int64_t>(at + 16)};
  record.digest = load_le<std::uint64_t>(at + 24);
  if (version == kPart) {
    record.written_count = load_le<std::uint64_t>(at + 32);
    if (record.written_count == 0) return damaged("is a part without a record");
  }
  at = from.data() + head_size - 4;
  const std::size_t count = load_le<std::uint32_t>(at);
  if (count > kStepsPerCommitMax) return damaged("counts too many steps");
  if (from.size() != head_size + count * kStepSize) return damaged("has another length");
  record.steps.reserve(count);
  at += 4;
  for (std::size_t i = 0; i < count; ++i, at += kStepSize) {
    const auto kind = static_cast<Step::Kind>(load_le<std::uint8_t>(at));
    const auto input = load_le<std::uint16_t>(at + 1);
    const auto value = load_le<std::int64_t>(at + 3);
    const auto record_count = load_le<std::uint32_t>(at + 11);
    if (kind == Step::Kind::records && value >= 0 && value <= INT64_MAX - record_count)
      record.steps.push_back(Step::of_records(input, {value}, {value + record_count}));
    else if (kind == Step::Kind::advance)
      record.steps.push_back(Step::of_advance(input, {value}));
    else if (kind == Step::Kind::clock)
      record.steps.push_back(Step::of_clock({value}));
    else
      return damaged("has an impossible step");
  }
  return record;
}

}  // namespace adbrook::stream
