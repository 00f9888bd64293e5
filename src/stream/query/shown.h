// How keys and values of stores are shown to those who ask over HTTP, and how a key is read from
// the text of a question.
#pragma once

#include <charconv>
#include <concepts>
#include <string>
#include <string_view>

#include "base/hex.h"
#include "base/time.h"
#include "serde/json_writer.h"
#include "stream/keyed/serde.h"

namespace adbrook::stream {

// Specialise it for a type of your own:
//   static void write(serde::JsonWriter& json, const T& value);     one JSON value
// and, for keys that are asked for: `static bool parse(std::string_view text, T& out)`, false for
// a text that is no T; a T that borrows may borrow from `text`. A type without one is shown by the
// bytes of its serde, in hexadecimal.
template <class T>
struct Shown;

template <class T>
concept ShownAsJson =
    requires(serde::JsonWriter& json, const T& value) { Shown<T>::write(json, value); };
template <class T>
concept ReadFromText = requires(std::string_view text, T& out) {
  { Shown<T>::parse(text, out) } -> std::same_as<bool>;
};

template <class T>
  requires std::same_as<T, std::string> || std::same_as<T, std::string_view>
struct Shown<T> {
  static void write(serde::JsonWriter& json, std::string_view value) { json.string(value); }
  static bool parse(std::string_view text, T& out) {
    out = text;
    return true;
  }
};

template <std::integral T>
struct Shown<T> {
  static void write(serde::JsonWriter& json, T value) {
    if constexpr (std::signed_integral<T>)
      json.integer(value);
    else
      json.unsigned_integer(value);
  }
  static bool parse(std::string_view text, T& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
  }
};

template <>
struct Shown<bool> {
  static void write(serde::JsonWriter& json, bool value) { json.boolean(value); }
  static bool parse(std::string_view text, bool& out) {
    out = text == "true";
    return out || text == "false";
  }
};

template <>
struct Shown<double> {
  static void write(serde::JsonWriter& json, double value) { json.number(value); }
};

template <>
struct Shown<Timestamp> {
  static void write(serde::JsonWriter& json, Timestamp value) { json.string(format_time(value)); }
  static bool parse(std::string_view text, Timestamp& out) {
    const auto time = parse_time(text);
    if (time) out = *time;
    return time.has_value();
  }
};

// What the bytes of a T are, as one JSON value.
template <class T>
void show_bytes(serde::JsonWriter& json, ByteView bytes) {
  if constexpr (ShownAsJson<T>) {
    T value{};
    if (Serde<T>::decode(bytes, value)) return Shown<T>::write(json, value);
  }
  json.string(hex(bytes));
}

}  // namespace adbrook::stream
