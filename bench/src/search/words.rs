//! Messages as people might write them: few words are said all the time, most hardly ever; some are Chinese. Made up,
//! and the same in every run.

/// A message that is said once.
pub(super) const LAST: &str = "finisterre";

/// How many words there are. The one of rank n is said about 1/n as often as the first.
const WORDS: usize = 40_000;
const SIGNS: usize = 2_500;

/// What is asked for.
#[derive(Clone, Copy)]
pub(super) enum Question {
    /// A word that hardly anybody says.
    Rare,
    /// One that is in many messages.
    Common,
    /// Two that are not seldom each.
    Two,
    /// Two that stand beside each other.
    Phrase,
    /// Two signs that stand beside each other.
    Chinese,
    /// A word that nobody says.
    Nothing,
}

impl Question {
    pub(super) const ALL: [Question; 6] = [
        Question::Rare,
        Question::Common,
        Question::Two,
        Question::Phrase,
        Question::Chinese,
        Question::Nothing,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Question::Rare => "a rare word",
            Question::Common => "a common word",
            Question::Two => "two words",
            Question::Phrase => "a phrase",
            Question::Chinese => "Chinese",
            Question::Nothing => "a word that nobody says",
        }
    }
}

/// Makes messages, and questions about them.
pub(super) struct Words {
    words: Vec<String>,
    state: u64,
}

impl Words {
    pub(super) fn new() -> Words {
        let mut words = Words { words: vec![], state: 1 };
        let syllables =
            ["ka", "lo", "mi", "ner", "sta", "vu", "dor", "el", "tin", "ra", "phe", "us"];
        words.words = (0..WORDS).map(|n| word(n, &syllables)).collect();
        words
    }

    /// Pseudorandom (splitmix64): the same in every run.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A rank below `n`, the first ones most often.
    fn rank(&mut self, n: usize) -> usize {
        let share = (self.next() >> 11) as f64 / (1_u64 << 53) as f64;
        ((n as f64).powf(share) as usize).saturating_sub(1).min(n - 1)
    }

    fn sign(&mut self) -> char {
        sign(self.rank(SIGNS))
    }

    /// The next message. Which are Chinese is drawn, too: by turns it would depend on the conversation.
    pub(super) fn message(&mut self) -> String {
        let mut text = String::new();
        if self.next().is_multiple_of(10) {
            let length = 10 + self.next() % 30;
            return (0..length).fold(text, |mut text, at| {
                text.push(if at % 12 == 11 { '，' } else { self.sign() });
                text
            });
        }
        for _ in 0..5 + self.next() % 30 {
            let rank = self.rank(WORDS);
            text.push_str(&self.words[rank]);
            text.push(' ');
        }
        text
    }

    /// One of many questions of a kind.
    pub(super) fn question(&self, question: Question, n: usize) -> String {
        let word = |rank: usize| self.words[rank % WORDS].as_str();
        match question {
            Question::Rare => word(20_000 + n * 97).to_owned(),
            Question::Common => word(n % 20).to_owned(),
            Question::Two => format!("{} {}", word(50 + n), word(100 + n * 3)),
            Question::Phrase => format!("\"{} {}\"", word(n % 30), word(30 + n % 40)),
            Question::Chinese => [sign(n % 50), sign(20 + n % 200)].iter().collect(),
            Question::Nothing => format!("zzyx{n}"),
        }
    }
}

/// A word for each number, short ones first.
fn word(n: usize, syllables: &[&str]) -> String {
    let (mut word, mut left) = (String::new(), n + syllables.len());
    while left > 0 {
        word.push_str(syllables[left % syllables.len()]);
        left /= syllables.len();
    }
    word
}

fn sign(rank: usize) -> char {
    char::from_u32(0x4e00 + rank as u32 * 7).unwrap_or('織')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_word_is_another_and_few_are_said_often() {
        let mut words = Words::new();
        assert_eq!(words.words.iter().collect::<HashSet<_>>().len(), WORDS);
        let ranks: Vec<usize> = (0..10_000).map(|_| words.rank(WORDS)).collect();
        let first = ranks.iter().filter(|rank| **rank < 10).count();
        let last = ranks.iter().filter(|rank| **rank >= WORDS / 2).count();
        assert!((1500..4000).contains(&first) && (300..1500).contains(&last), "{first} {last}");
    }

    #[test]
    fn messages_are_the_same_in_every_run_and_a_tenth_is_chinese() {
        let (mut one, mut other) = (Words::new(), Words::new());
        let mut chinese = 0;
        for _ in 0..1000 {
            let message = one.message();
            assert_eq!(message, other.message());
            chinese += usize::from(message.chars().any(|sign| sign as u32 >= 0x4e00));
        }
        assert!((50..200).contains(&chinese), "{chinese}");
    }
}
