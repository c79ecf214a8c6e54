//! A chat with a small model: messages in, its answer out, token by token.

use crate::error::{Error, Fault};
use crate::file;
use crate::file::gguf::Gguf;
use crate::llama::Llama;
use crate::sampling::{Dice, choose};
use crate::spoken::{Heard, Spoken};
use crate::tokens::bytepair::BytePairs;
use std::ops::ControlFlow;
use std::path::Path;

/// The name of the default model's file.
pub const CHAT_FILE: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// Messages and answer together have at most so many tokens: what is remembered of each takes 46 KB.
pub const MAX_CONTEXT: usize = 4096;
/// What is remembered from one answer to the next.
const KEPT_TOKENS: usize = 2048;

/// Who said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Whoever set up the conversation.
    System,
    /// A person.
    User,
    /// The model.
    Assistant,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// How an answer is made.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// The answer has no more tokens than this.
    pub max_tokens: usize,
    /// 0 takes the most likely token each time.
    pub temperature: f32,
    /// Only the most likely tokens that together make up this much are chosen from.
    pub top_p: f32,
    /// The answer ends before any of these texts.
    pub stop: Vec<String>,
    /// The same seed makes the same answer.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { max_tokens: 512, temperature: 0.2, top_p: 0.9, stop: Vec::new(), seed: 0 }
    }
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The model had said what it had to say.
    End,
    /// It was as long as it may be.
    MaxTokens,
    /// A stop text came.
    Stop,
    /// Whoever listened wanted no more.
    Cut,
}

/// An answer that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finished {
    /// Tokens of the messages.
    pub prompt_tokens: usize,
    /// Tokens of the answer.
    pub output_tokens: usize,
    /// Why it ended.
    pub why: Why,
}

/// A chat model that is ready.
pub struct Chat {
    llama: Llama,
    tokens: BytePairs,
    begin: u32,
    end: u32,
    /// Also ends an answer.
    end_of_text: Option<u32>,
    /// What the model is told when nobody tells it anything.
    system: Option<String>,
}

impl Chat {
    /// Opens a GGUF file of a small Llama with the ChatML template, or the default model's file in a folder.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let inside = path.join(CHAT_FILE);
        let path = if path.is_dir() { &inside } else { path };
        Self::open_file(path).map_err(|fault| fault.of(path))
    }

    fn open_file(path: &Path) -> Result<Self, Fault> {
        let file = Gguf::parse(file::read(path)?)?;
        let known = (file.text("tokenizer.ggml.model"), file.text("tokenizer.ggml.pre"))
            == (Some("gpt2"), Some("smollm"));
        if !known {
            return Err(Fault::Content("its way of cutting text is not known here"));
        }
        let tokens = BytePairs::new(
            file.texts("tokenizer.ggml.tokens"),
            file.numbers("tokenizer.ggml.token_type"),
            file.texts("tokenizer.ggml.merges"),
        )?;
        let template = file.text("tokenizer.chat_template").unwrap_or_default();
        let (Some(begin), Some(end)) = (tokens.control(BEGIN), tokens.control(END)) else {
            return Err(Fault::Content("it has not the control tokens of ChatML"));
        };
        if !template.contains(BEGIN) {
            return Err(Fault::Content("its chat template is not ChatML"));
        }
        let system = default_system(template);
        let llama = Llama::read(&file)?;
        let end_of_text = tokens.control("<|endoftext|>");
        Ok(Self { llama, tokens, begin, end, end_of_text, system })
    }

    /// How many tokens messages and answer may have together.
    pub fn context(&self) -> usize {
        self.llama.context().min(MAX_CONTEXT)
    }

    /// How many tokens some messages have with what the template adds.
    pub fn n_tokens(&self, messages: &[(Role, &str)]) -> Result<usize, Error> {
        self.prompt(messages).map(|tokens| tokens.len())
    }

    /// Answers. `on_text` gets every piece of the answer, always whole characters, and says whether to go on; where there
    /// is nothing to show, as while messages are being read, it is asked with an empty piece.
    pub fn reply(
        &mut self,
        messages: &[(Role, &str)],
        settings: &Settings,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) -> Result<Finished, Error> {
        let prompt = self.prompt(messages)?;
        let known = self.llama.rewind(&prompt);
        let mut finished =
            Finished { prompt_tokens: prompt.len(), output_tokens: 0, why: Why::Cut };
        if self.llama.look(&prompt[known..], &mut || on_text("").is_continue()) {
            let room = (self.context() - prompt.len()).min(settings.max_tokens);
            self.answer(settings, room, &mut finished, on_text);
        }
        self.llama.forget_much(KEPT_TOKENS);
        Ok(finished)
    }

    fn answer(
        &mut self,
        settings: &Settings,
        room: usize,
        finished: &mut Finished,
        on_text: &mut dyn FnMut(&str) -> ControlFlow<()>,
    ) {
        let (mut dice, mut spoken) = (Dice::new(settings.seed), Spoken::new(&settings.stop));
        while finished.output_tokens < room {
            let token = choose(self.llama.next(), settings.temperature, settings.top_p, &mut dice);
            finished.output_tokens += 1;
            if token == self.end || Some(token) == self.end_of_text {
                finished.why = if on_text(&spoken.end()).is_break() { Why::Cut } else { Why::End };
                return;
            }
            match spoken.hear(self.tokens.bytes_of(token)) {
                Heard::Stop(text) => {
                    finished.why = if on_text(&text).is_break() { Why::Cut } else { Why::Stop };
                    return;
                }
                Heard::Text(text) => {
                    if on_text(&text).is_break() {
                        return;
                    }
                }
            }
            self.llama.look(&[token], &mut || true);
        }
        finished.why = if on_text(&spoken.end()).is_break() { Why::Cut } else { Why::MaxTokens };
    }

    /// The messages as the template writes them. What people wrote is cut as text: no word in it is a control token.
    fn prompt(&self, messages: &[(Role, &str)]) -> Result<Vec<u32>, Error> {
        let limit = self.context() - 1;
        // No text this long can have few enough tokens, so it is not even looked at.
        let bytes: usize = messages.iter().map(|(_, text)| text.len()).sum();
        let at_least = (bytes / self.tokens.max_bytes()).max(messages.len());
        if at_least > limit {
            return Err(Error::TooLong { tokens: at_least, limit });
        }
        let mut prompt = Vec::new();
        let mut write = |role: Role, text: &str| {
            prompt.push(self.begin);
            self.tokens.tokens(&format!("{}\n{text}", role.name()), &mut prompt);
            prompt.push(self.end);
            self.tokens.tokens("\n", &mut prompt);
        };
        if let Some(system) =
            self.system.as_ref().filter(|_| !matches!(messages, [(Role::System, _), ..]))
        {
            write(Role::System, system);
        }
        messages.iter().for_each(|(role, text)| write(*role, text));
        prompt.push(self.begin);
        self.tokens.tokens("assistant\n", &mut prompt);
        if prompt.len() > limit {
            return Err(Error::TooLong { tokens: prompt.len(), limit });
        }
        Ok(prompt)
    }
}

const BEGIN: &str = "<|im_start|>";
const END: &str = "<|im_end|>";

/// What a ChatML template says when the messages do not begin with a system's.
fn default_system(template: &str) -> Option<String> {
    let (_, after) = template.split_once("<|im_start|>system\n")?;
    let (system, _) = after.split_once(END)?;
    Some(system.to_owned()).filter(|system| !system.contains(['{', '}', '\'']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_template_says_first_is_read_out_of_it() {
        let template = "{% if x %}{{ '<|im_start|>system\nBe kind<|im_end|>\n' }}{% endif %}";
        assert_eq!(default_system(template).as_deref(), Some("Be kind"));
        assert_eq!(default_system("{{'<|im_start|>' + message['role']}}"), None);
        assert_eq!(default_system("<|im_start|>system\n' + x + '<|im_end|>"), None);
    }
}
