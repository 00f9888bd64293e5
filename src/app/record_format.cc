#include "app/record_format.h"

#include <array>
#include <boost/json.hpp>
#include <charconv>

#include "base/text.h"
#include "serde/json_writer.h"

namespace adbrook::app {
namespace {

constexpr std::string_view kFields = "tpokvsKSRTh";

// Takes the escape that begins at text[i] == '\\' and moves i to its last character.
Result<char> read_escape(std::string_view text, std::size_t& i) {
  const auto wrong = [&] {
    return fail(ErrorKind::invalid, "'" + printable(text) + "' at " + std::to_string(i) +
                                        ": the escapes are \\n \\r \\t \\0 \\\\ and \\xNN");
  };
  if (i + 1 >= text.size()) return wrong();
  switch (text[i + 1]) {
    case 'n': ++i; return '\n';
    case 'r': ++i; return '\r';
    case 't': ++i; return '\t';
    case '0': ++i; return '\0';
    case '\\': ++i; return '\\';
    case 'x': break;
    default: return wrong();
  }
  const std::string_view digits = text.substr(i + 2, 2);
  unsigned code = 0;
  const auto [at, ec] = std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
  if (digits.size() != 2 || ec != std::errc{} || at != digits.data() + 2) return wrong();
  i += 3;
  return static_cast<char>(code);
}

std::int64_t size_of(const std::optional<ByteView>& bytes) {
  return bytes ? static_cast<std::int64_t>(bytes->size()) : -1;
}

void append_headers(std::string& out, const std::vector<bus::KafkaHeader>& headers) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i > 0) out += ',';
    out += headers[i].name;
    out += '=';
    out += headers[i].value ? as_text(*headers[i].value) : "NULL";
  }
}

void append_size_word(std::string& out, std::int64_t size) {
  std::array<std::byte, 4> word;
  store_be(word.data(), static_cast<std::int32_t>(size));
  out += as_text(word);
}

bool is_json_object(std::string_view text) {
  if (!text.starts_with('{')) return false;
  boost::system::error_code broken;
  boost::json::parse(text, broken);
  return !broken;
}

// `name` for text, `name`Base64 for other bytes.
void write_bytes(serde::JsonWriter& json, const std::string& name,
                 const std::optional<ByteView>& bytes) {
  if (!bytes) {
    json.key(name);
    json.null();
  } else if (const auto text = as_text(*bytes); is_valid_utf8(text)) {
    json.field(name, text);
  } else {
    json.field(name + "Base64", base64(text));
  }
}

}  // namespace

Result<RecordFormat> RecordFormat::parse(std::string_view format) {
  RecordFormat made;
  std::string text;
  const auto end_text = [&] {
    if (!text.empty()) made.pieces_.push_back({0, std::exchange(text, "")});
  };
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] == '\\') {
      const auto character = read_escape(format, i);
      if (!character) return pass(character.error(), "--format");
      text += *character;
    } else if (format[i] != '%') {
      text += format[i];
    } else if (i + 1 < format.size() && format[i + 1] == '%') {
      text += format[++i];
    } else if (i + 1 < format.size() && kFields.find(format[i + 1]) != std::string_view::npos) {
      end_text();
      made.pieces_.push_back({format[++i], ""});
    } else {
      return fail(
          ErrorKind::invalid,
          "--format '" + printable(format) + "' at " + std::to_string(i) +
              ": the fields are %t %p %o %k %v %s %K %S %R %T %h, and %% is a percent sign");
    }
  }
  end_text();
  return made;
}

void RecordFormat::append(std::string& out, const bus::KafkaRecord& record,
                          const ShownValue& value) const {
  for (const auto& piece : pieces_) switch (piece.field) {
      case 0: out += piece.text; break;
      case 't': out += record.topic; break;
      case 'p': out += std::to_string(record.partition); break;
      case 'o': out += std::to_string(record.offset.value); break;
      case 'k':
        if (record.key) out += as_text(*record.key);
        break;
      case 'v':
      case 's': out += value.text; break;
      case 'K': out += std::to_string(size_of(record.key)); break;
      case 'S': out += std::to_string(size_of(record.value)); break;
      case 'R': append_size_word(out, size_of(record.value)); break;
      case 'T': out += std::to_string(record.time ? record.time->ms : -1); break;
      case 'h': append_headers(out, record.headers); break;
      default: break;
    }
}

Result<std::string> unescape(std::string_view text, std::string_view flag) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const auto character = read_escape(text, i);
    if (!character) return pass(character.error(), flag);
    out += *character;
  }
  return out;
}

void append_record_json(std::string& out, const bus::KafkaRecord& record, const ShownValue& value) {
  serde::JsonWriter json(out);
  json.begin_object();
  json.field("topic", record.topic);
  json.field("partition", static_cast<std::int64_t>(record.partition));
  json.field("offset", record.offset.value);
  json.key("timestamp");
  record.time ? json.string(format_time(*record.time)) : json.null();
  write_bytes(json, "key", record.key);
  if (value.is_json || is_json_object(value.text)) {
    json.key("value");
    json.raw(value.text);
  } else {
    write_bytes(json, "value", record.value);
  }
  json.key("headers");
  json.begin_array();
  for (const auto& header : record.headers) {
    json.begin_object();
    json.field("name", header.name);
    write_bytes(json, "value", header.value);
    json.end_object();
  }
  json.end_array();
  json.end_object();
  out += '\n';
}

std::string without_controls(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto code = static_cast<unsigned char>(c);
    if ((code >= 0x20 && code != 0x7F) || c == '\n' || c == '\t') {
      out += c;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    out += {'\\', 'x', kDigits[code >> 4], kDigits[code & 15]};
  }
  return out;
}

}  // namespace adbrook::app
