/** The demo workspace as text: who is there, what their groups are called, and how they talk. */

export const PASSWORD = 'a long demo password';

export const PEOPLE = [
  { username: 'mira', displayName: 'Mira Kowalska' },
  { username: 'jonas', displayName: 'Jonas Lindqvist' },
  { username: 'aiko', displayName: 'Aiko Tanaka' },
  { username: 'tomas', displayName: 'Tomás Herrera' },
  { username: 'nadia', displayName: 'Nadia Haddad' },
  { username: 'oliver', displayName: 'Oliver Brandt' },
  { username: 'priya', displayName: 'Priya Raman' },
  { username: 'luca', displayName: 'Luca Moretti' },
  { username: 'ines', displayName: 'Inês Carvalho' },
  { username: 'sam', displayName: 'Sam Okafor' },
] as const;
export type Name = (typeof PEOPLE)[number]['username'];

export const GROUPS: { title: string; admin: Name; members: Name[]; topic: Topic; messages: number }[] = [
  {
    title: 'Harbour house',
    admin: 'mira',
    members: ['jonas', 'aiko', 'tomas', 'nadia', 'priya'],
    topic: 'design',
    messages: 620,
  },
  {
    title: 'Sunday football',
    admin: 'luca',
    members: ['sam', 'oliver', 'tomas', 'jonas'],
    topic: 'football',
    messages: 430,
  },
  {
    title: 'Release train',
    admin: 'priya',
    members: ['aiko', 'oliver', 'ines', 'sam', 'mira'],
    topic: 'release',
    messages: 780,
  },
  {
    title: 'Lunch?',
    admin: 'ines',
    members: ['mira', 'jonas', 'aiko', 'tomas', 'nadia', 'oliver', 'priya', 'luca', 'sam'],
    topic: 'lunch',
    messages: 340,
  },
];
export const DIRECTS: { between: [Name, Name]; topic: Topic; messages: number }[] = [
  { between: ['mira', 'jonas'], topic: 'design', messages: 180 },
  { between: ['mira', 'aiko'], topic: 'lunch', messages: 90 },
  { between: ['mira', 'nadia'], topic: 'design', messages: 60 },
  { between: ['mira', 'priya'], topic: 'release', messages: 120 },
  { between: ['luca', 'sam'], topic: 'football', messages: 110 },
  { between: ['oliver', 'ines'], topic: 'release', messages: 70 },
  { between: ['tomas', 'mira'], topic: 'football', messages: 40 },
];

export type Topic = 'design' | 'football' | 'release' | 'lunch';

/** `{a|b|c}` stands for one of the words; a line that begins with > answers the one before. */
export const LINES: Record<Topic, string[]> = {
  design: [
    'I moved the stairs to the {north|east|garden} side. It gives the kitchen {a metre|half a metre|almost two metres} more.',
    '> That works much better. The light in the morning will be lovely there.',
    'Does anyone have the survey of the {cellar|roof|old wall}?',
    '> Yes, I will scan it {tonight|after lunch|tomorrow morning}.',
    'The client asked for {oak|larch|ash} floors again.',
    '> Again? We had agreed on {lime plaster and stone|cork|linoleum}.',
    'I think she saw it at a friend’s house. Let me bring samples on {Monday|Thursday|Friday}.',
    'Model is printed. It is very small and I love it.',
    '> Photo please!',
    'The window maker says {six|eight|ten} weeks.',
    '> Then we should order before the {holidays|end of the month}.',
    'Could you look at section {B|C|D}? The heights do not add up for me.',
    '> You are right, I copied the old level. Fixing it now.',
    'The permit came through 🎉',
    '> Finally! Cake tomorrow.',
    'Small thing: the door to the {bathroom|store room} opens into the stairs.',
    'What if the bench goes all the way along the window?\nThen one could sit there and watch the boats.',
    '> Yes. Exactly that.',
    'I am on site until {three|four|five}. Call me if something burns.',
  ],
  football: [
    'Who is in on Sunday? We need {one|two|three} more.',
    '> In!',
    '> I am in if it does not rain.',
    'It always rains.',
    'My knee says no this week, but I will come and shout.',
    '> Shouting is half the game.',
    'Pitch {two|three|four}, {ten|half past ten|eleven} sharp. Bring both shirts.',
    'That last goal was {at least a metre|a kilometre|clearly} offside.',
    '> You were not even looking.',
    'I have {a ball|two balls and no pump|a pump and no ball}.',
    '> I have the other half.',
    'Beers afterwards? The place by the {canal|station|bridge} has tables outside.',
    '> Now you are talking.',
    'We lost {5:3|4:1|7:6}. I have decided it was a moral victory.',
    'My nephew wants to join, he is fifteen and runs like the wind.',
    '> Then he runs for me.',
  ],
  release: [
    'Branch is cut. Only fixes from here, please.',
    'The nightly run is green for the {third|fourth|fifth} time in a row.',
    '> Do not say it aloud.',
    'I see the p99 going from {180|210|240} to {90|110|120} ms with the new index.',
    '> Nice. Is that with the cache warm?',
    '> Cold. Warm it is not worth measuring any more.',
    'Can someone review the migration? It is {12|20|31} lines and takes no lock.',
    '> On it.',
    'Who owns the dashboard with the {pink|very wrong|missing} axis?',
    '> Me, sorry. Fixed.',
    'Customer in {Lisbon|Gdańsk|Osaka} reports a blank page after log-in.',
    '> I can reproduce it with a full disk. We swallow the error.',
    'Hot fix is out, they confirm it works.',
    'Reminder: the freeze begins on {Wednesday|Thursday} at noon.',
    'Changelog draft is in the repo. Be kind to the adjectives.',
    '> I removed “blazingly”.',
    '```\nok   841 tests\nok   0 flaky\n```',
    '> Frame it.',
    'Rolling restart done, {0|0|0} dropped connections.',
    'Taking the afternoon off, the pager is with {Sam|Inês|Oliver}.',
  ],
  lunch: [
    'Lunch at {twelve|half past twelve|one}?',
    '> Yes please.',
    'The {noodle|soup|dumpling} place has opened again!',
    '> I am already standing in the queue.',
    'Somebody left a {lemon cake|box of figs|very good cheese} in the kitchen. I take no responsibility for what happens next.',
    '> It was me. Enjoy!',
    'I brought {bread|soup|curry} for everyone.',
    '> You are the best of us.',
    'Outside? It is {18|21|24} degrees.',
    'Can we please go somewhere without {loud music|wobbly tables|a tasting menu}?',
    '> Canteen it is.',
    'I am late, order me {whatever is green|the usual|something spicy}.',
    'Coffee machine is making the noise again.',
    '> Turn it off, count to ten, be nice to it.',
  ],
};

export const EMOJI = ['👍', '❤️', '😂', '🎉', '👀', '🙏', '🔥', '☕'];
