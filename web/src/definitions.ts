// What each number means, in the words of docs/click-join.md and docs/reports.md.
export const definitions: Record<string, string> = {
  impressions: 'Ads that were shown and counted: unique by their id, not late, not filtered.',
  clicks: 'Clicks that count: joined with their impression, plus unlinked ones that name none.',
  joined: 'Clicks that name an impression and came within 30 minutes of it.',
  unlinked: 'Clicks that name no impression; they count under their own campaign.',
  unique_clicks: 'Impressions with at least one joined click: an impression counts once.',
  ctr: 'Click-through rate: joined clicks divided by impressions.',
  live_ctr:
    'Joined clicks divided by impressions, of what was decided in this time. The range is its 95 % Wilson interval.',
  unique_ctr:
    'Unique clicks divided by impressions. The range is its 95 % Wilson interval: how sure the rate is.',
  spend: 'What the counted impressions cost. Amounts of two currencies are never added up.',
  duplicates: 'Events whose id was accepted before, of everything that was decided.',
  rejected: 'Events in the log that could not be read or broke the schema, of everything decided.',
  received: 'Records of committed batches that the engine has read.',
  counted: 'Impressions that count.',
  expired: 'Clicks that came more than the join window after their impression.',
  orphan: 'Clicks whose impression is not known, or that came before it.',
  late: 'Events too old to be told from duplicates, or clicks whose window was closed already.',
  duplicate: 'Copies of an event whose id was accepted before.',
  filtered: 'Events that a rule excludes, such as bots; they stay in the log.',
  pending: 'Clicks that wait for their impression.',
  under_way: 'Events on their way to the task that decides them.',
  behind: 'Records that lie in the log but are not committed by the tasks yet.',
  final_until: 'What happened before this time will not change any more.',
  as_of: 'The last commit that the numbers are made from.',
};
