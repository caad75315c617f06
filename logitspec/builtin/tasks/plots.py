"""Plots of the stories: for each subject, its sentences from beginning to end."""

from __future__ import annotations

# Each line is a sentence or two; " | " separates wordings to choose from. Among the fields, {who}
# describes the hero ("a small fox") and {helper} the friend ("the owl").
BEGINNINGS = [
    "Once upon a time there was {who} called {name}, who lived near {place}.",
    "Long ago, {who} named {name} lived close to {place}.",
    "Near {place} lived {who} whose name was {name}.",
    "There was once {who} called {name}. {He} lived in a little house near {place}.",
]
PLOTS = {
    "how {name} lost {a_thing}": """
        Of all the things in the house, {name} loved {his} {thing} best. | Everybody knew {name}'s {thing}, for {he} carried it everywhere.
        But one morning the {thing} was gone.
        {name} looked under the bed, behind the door and in the garden, but it was not there. | {name} looked in every corner, and then {he} looked again.
        "Where can my {thing} be?" {he} cried.
        {friend} {helper} heard {him} and came to the window. "When did you see it last?" asked {friend}.
        {name} thought for a while. "Yesterday I had it with me at {place}," {he} said.
        So they went to {place} together and looked behind every stone. | Without another word, they ran to {place} and began to search.
        "Here it is!" called {friend} at last, and held up the {thing}.
        It was wet and a little dirty, but it was not broken.
        {name} was so happy that {he} danced all the way home. | "You are a true friend, {friend}," said {name}, and they went home laughing.""",
    "a storm at {place}": """
        One night a great storm came over {place}. | In autumn, a storm broke loose over {place}.
        The wind howled, the rain beat on the roof, and {name} could not sleep.
        Suddenly there was a crash, and {his} {thing} flew out of the window.
        {name} ran after it into the dark, but the wind was too strong for {him}.
        "Help!" {he} called. "Is anybody there?"
        A small light came nearer and nearer. It was {friend} {helper}, who had heard the call.
        "Hold my hand," said {friend}, "and do not let go." | "Stay close to me," said {friend}. "Two are stronger than one."
        Step by step they fought their way through the rain until they reached a dry place.
        In the morning the sun was shining, and the {thing} lay in the grass in front of the door.
        {name} never forgot that night. Whenever the wind blew, {he} thought of {friend} and was not afraid.""",
    "a present for {friend}": """
        {name} had a good friend, {friend} {helper}, and {friend} had a birthday soon.
        "What can I give to {friend}?" {name} wondered. | For three days {name} thought about a present.
        In the window of a shop {he} saw {a_thing}, and it was just right.
        But the {thing} was too dear, and {name} had only two coins. | But it cost ten coins, and {name} had only two.
        So {he} went to {place} and worked there from morning to evening.
        {He} carried boxes, swept the floor and did not complain.
        At the end of the week {name} had enough, and {he} ran to the shop.
        When {friend} opened the parcel, there was the {thing}.
        "You worked a whole week for this?" asked {friend}. "Then it is worth more than gold."
        They ate cake until it was dark, and the {thing} stood in the middle of the table.""",
    "the secret of {place}": """
        People said that there was a secret at {place}, but nobody knew what it was.
        {name} was not afraid. "I will find out," {he} said, and took {his} {thing} along.
        At {place} it was dark and very quiet. | It was getting dark when {he} came to {place}.
        Then {he} heard a strange voice: "Who is there?"
        {name}'s heart beat fast. "I am {name}," {he} said. "And who are you?"
        Out of the shadows came {friend} {helper}. "I live here all alone," said {friend}. "Everybody is afraid of me."
        {name} had to laugh. "I am not," {he} said. "Look, I have brought {a_thing}."
        {friend} had never seen such a fine thing before, and they sat down and talked until midnight.
        From that day on, {name} came every week. | After that, {friend} was never alone again.
        And the secret of {place} was only this: somebody had been waiting for a friend.""",
    "a race to {place}": """
        One day {friend} {helper} said, "Let us have a race to {place}. The winner gets {a_thing}."
        "I am not fast," said {name}, "but I will try." | {name} had never won a race, but {he} agreed.
        They stood side by side, somebody counted to three, and off they went.
        {friend} was soon far ahead, and {name} could hardly see {friend} any more.
        But behind the hill {name} heard a cry. {friend} had fallen into a ditch.
        {name} could have run on and won. {He} stopped at once.
        "Take my hand," said {name}, and pulled with all {his} strength. | {name} found a long branch and pulled {friend} out with it.
        Slowly they walked to {place} together, arm in arm.
        "The {thing} is yours," said {friend}. "You are the real winner today."
        But {name} shook {his} head. "It belongs to both of us," {he} said, and so it was.""",
    "{name} and the broken {thing}": """
        {name} had {a_thing} that was very old. It had belonged to {his} grandmother.
        One day it fell to the floor and broke. | One day {he} stumbled, and the {thing} broke in two.
        {name} sat down beside it and was very sad.
        "Nobody can mend this," said the neighbours, and they went away.
        But {friend} {helper} did not go away. "Have you any glue?" asked {friend}. "And a little time?"
        All afternoon they sat at the table and put the pieces together.
        It was hard work. Twice it fell apart, and twice they began again.
        When the sun went down near {place}, the {thing} was whole again.
        "It is not as beautiful as before," said {friend}. | There was still a thin line where it had been broken.
        "To me it is more beautiful," said {name}, "because now it makes me think of you." """,
    "how {name} found {a_thing}": """
        One morning {name} went for a walk to {place}. | It was a bright morning, and {name} was on the way to {place}.
        There, in the grass, lay {a_thing}.
        "What a lovely {thing}!" said {name}. "Somebody must be looking for it."
        {He} asked everybody on the road, but nobody had lost anything.
        In the evening {name} met {friend} {helper}, who was sitting on a bench and looked sad.
        "What is the matter?" asked {name}.
        "I have lost the best thing that I ever had," said {friend}, "and I have no hope of finding it."
        Then {name} showed {friend} the {thing}. "Is this yours?"
        {friend} jumped up with joy. "Yes! How can I thank you?" | "My {thing}!" cried {friend}, and the sadness was gone.
        They walked home together through the quiet evening, and they have been friends ever since.""",
    "a long way home to {place}": """
        One winter day {name} was far away from home, with nothing but {a_thing} in {his} bag.
        It began to snow, and soon every path was white. | Snow fell, and the road could not be seen any more.
        {name} walked and walked, but {he} did not get any nearer to {place}.
        "I am lost," {he} said to {himself}.
        Then {he} saw smoke above the trees. There stood a hut, and in the hut lived {friend} {helper}.
        "Come in and get warm," said {friend}, and gave {name} a bowl of hot soup.
        They talked about this and that, and {name} told {friend} about {place}.
        "I know the way," said {friend}. "Tomorrow I will go with you." | "That is not far," said {friend}. "I will take you there in the morning."
        When they saw {place} the next day, {name} was so glad that {he} gave {friend} the {thing}.
        Now it hangs in the hut, and when it snows, {friend} looks at it and smiles.""",
    "a party at {place}": """
        {name} wanted to give a party at {place}, and everybody was to come.
        {He} baked a cake, put up lights and wrote many letters. | For a whole week {he} baked, cleaned and wrote letters.
        But when the evening came, nobody was there.
        {name} waited one hour, and then another. The cake stood on the table, and beside it lay {a_thing} as a prize for the best dancer.
        At last there was a knock at the door. It was {friend} {helper}.
        "Am I too late?" asked {friend}. "Your letter says Sunday, but today is Saturday!"
        {name} looked at the letter and turned red. {He} had written the wrong day.
        "Then we will have a small party today and a big one tomorrow," said {friend}.
        And so it was. On Sunday {place} was full of music.
        {friend} was the best dancer of all and went home with the {thing}.""",
}
