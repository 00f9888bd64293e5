// Event values as they lie in the topics: byte 0, the schema's id (big-endian), then Avro exactly
// as in schemas/impression.avsc and click.avsc; or JSON when the first byte is '{'.
#pragma once

#include <memory>

#include "ads/event.h"
#include "ads/event_refusal.h"
#include "ads/event_text.h"
#include "base/bytes.h"

namespace adbrook::ads {

// Appends the Avro value with its header. The event's texts are UTF-8 and inside their limits, as
// the edges and EventDecoder leave them.
void encode(const Impression& impression, Buffer& to);
void encode(const Click& click, Buffer& to);

// Reads values of one topic, owned by one thread. Whatever the value's form, the event obeys the
// table in event_fields.h, except that its time is not judged: that needs the batch's append time.
template <class Event>
class EventDecoder {
 public:
  EventDecoder();
  ~EventDecoder();
  EventDecoder(EventDecoder&&) noexcept;
  EventDecoder& operator=(EventDecoder&&) noexcept;

  // True: `event` holds views into `value` or into this decoder until clear(). False: the event is
  // unspecified and refusal() says why.
  bool decode(ByteView value, Event& event);
  const Refusal& refusal() const { return refusal_; }

  // Frees the texts of the events since the last call: between two batches.
  void clear();

 private:
  bool decode_json(ByteView value, Event& event);

  struct Json;                       // the JSON reader, made when the first JSON value comes
  std::unique_ptr<EventText> text_;  // at one address, also when the decoder moves
  Refusal refusal_;
  std::unique_ptr<Json> json_;
};

extern template class EventDecoder<Impression>;
extern template class EventDecoder<Click>;

}  // namespace adbrook::ads
