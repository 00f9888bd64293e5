// How `consume` prints a record: the format strings of kcat, or a JSON object on each line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bus/kafka_consumer.h"

namespace adbrook::app {

// A record's value as people see it.
struct ShownValue {
  std::string_view text;
  bool is_json = false;  // `text` was made from Avro and is one JSON value
};

// Immutable.
class RecordFormat {
 public:
  // %t %p %o %k %v %s %K %S %R %T %h %% and \n \r \t \0 \\ \xNN. invalid: any other letter, with
  // its place.
  static Result<RecordFormat> parse(std::string_view format);

  // Appends the record. A null key or value is nothing, and its size -1, as in kcat.
  void append(std::string& out, const bus::KafkaRecord& record, const ShownValue& value) const;

 private:
  struct Piece {
    char field = 0;  // 0: `text` as it is
    std::string text;
  };
  std::vector<Piece> pieces_;
};

// Replaces the escapes of RecordFormat and nothing else: for delimiters.
Result<std::string> unescape(std::string_view text, std::string_view flag);

// One line: topic, partition, offset, timestamp, key, value, headers. A value that is a
// JSON object is embedded; bytes that
// are no UTF-8 go into keyBase64, valueBase64.
void append_record_json(std::string& out, const bus::KafkaRecord& record, const ShownValue& value);

// Control characters other than line ends and tabs as \xNN, so that a record cannot drive a
// terminal.
std::string without_controls(std::string_view text);

}  // namespace adbrook::app
