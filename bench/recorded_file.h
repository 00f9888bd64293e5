// The recorded input of bench/streams: the same records, partitions and times for every system.
//
// A file is a sequence of records, all numbers little-endian:
//   u8 topic (0: the table or the impressions, 1: the events or the clicks), u8 partition,
//   u16 key size, u32 value size, i64 time (ms), key bytes, value bytes
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "base/time.h"

namespace adbrook::bench {

struct RecordedRecord {
  std::uint8_t topic = 0;
  std::uint8_t partition = 0;
  Timestamp time;
  std::string key;
  std::string value;
};

[[noreturn]] inline void stop_bench(const std::string& why) {
  std::fprintf(stderr, "streams: %s\n", why.c_str());
  std::exit(3);
}

// Owned by one thread; ends the process when the file cannot be written or read.
class RecordedFile {
 public:
  RecordedFile(const std::string& path, const char* mode) : file_(std::fopen(path.c_str(), mode)) {
    if (file_ == nullptr) stop_bench("cannot open " + path);
    std::setvbuf(file_, nullptr, _IOFBF, 1 << 20);
  }
  RecordedFile(const RecordedFile&) = delete;
  RecordedFile& operator=(const RecordedFile&) = delete;
  ~RecordedFile() {
    if (std::fclose(file_) != 0) stop_bench("the recorded file cannot be written; is it full?");
  }

  void write(const RecordedRecord& record) {
    std::byte head[kHeadSize];
    head[0] = std::byte{record.topic};
    head[1] = std::byte{record.partition};
    store_le(head + 2, static_cast<std::uint16_t>(record.key.size()));
    store_le(head + 4, static_cast<std::uint32_t>(record.value.size()));
    store_le(head + 8, record.time.ms);
    if (std::fwrite(head, sizeof head, 1, file_) != 1 || !write_text(record.key) ||
        !write_text(record.value))
      stop_bench("the recorded file cannot be written; is the disk full?");
  }

  // False at the end.
  bool read(RecordedRecord& record) {
    std::byte head[kHeadSize];
    if (std::fread(head, sizeof head, 1, file_) != 1) return false;
    record.topic = std::to_integer<std::uint8_t>(head[0]);
    record.partition = std::to_integer<std::uint8_t>(head[1]);
    record.time = {load_le<std::int64_t>(head + 8)};
    record.key.resize(load_le<std::uint16_t>(head + 2));
    record.value.resize(load_le<std::uint32_t>(head + 4));
    if (!read_text(record.key) || !read_text(record.value))
      stop_bench("the recorded file is cut off; record it again");
    return true;
  }

 private:
  static constexpr std::size_t kHeadSize = 16;
  bool write_text(const std::string& text) {
    return std::fwrite(text.data(), 1, text.size(), file_) == text.size();
  }
  bool read_text(std::string& text) {
    return std::fread(text.data(), 1, text.size(), file_) == text.size();
  }
  std::FILE* file_;
};

// The two jobs' topics, by RecordedRecord::topic.
inline constexpr const char* kYahooTopics[] = {"ads", "events"};
inline constexpr const char* kClickTopics[] = {"impressions", "clicks"};
inline const char* const* topics_of_job(const std::string& job) {
  if (job == "yahoo") return kYahooTopics;
  if (job == "clicks") return kClickTopics;
  stop_bench("there is no job " + job + "; the jobs are yahoo and clicks");
}

}  // namespace adbrook::bench
