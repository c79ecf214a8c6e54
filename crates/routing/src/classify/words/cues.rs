//! Words that hint at a task, a trade, a size or a need, in a score of languages. They are hints: the deliverable decides.
//! A star stands for any ending; a low line joins two words; writing without spaces is searched inside its runs.

use super::super::tokens::dense;
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

/// What a word hints at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Cue {
    Code,
    Find,
    Shorten,
    Decide,
    Write,
    Chat,
    Frontend,
    Backend,
    Devops,
    Data,
    Docs,
    Vision,
    Own,
    Live,
    Long,
    Reason,
    Big,
    Small,
    Fails,
    How,
    Why,
    Which,
    What,
    Daily,
}

/// How many kinds of hints there are.
pub(crate) const N_CUES: usize = Cue::Daily as usize + 1;
/// The longest start of a word that is looked up.
const MAX_STEM: usize = 14;
/// The longest word inside a run without spaces.
const MAX_DENSE: usize = 5;

static TABLE: LazyLock<HashMap<&'static str, (Cue, bool)>> = LazyLock::new(|| {
    let mut table = HashMap::new();
    for (cue, words) in WORDS {
        for word in words.split_whitespace() {
            let stem = word.trim_end_matches('*');
            table.entry(stem).or_insert((*cue, stem.len() < word.len()));
        }
    }
    table
});

/// How the words begin that are searched inside runs: most places in a run begin none.
static BEGINNINGS: LazyLock<HashSet<char>> = LazyLock::new(|| {
    TABLE.keys().filter_map(|word| word.chars().next()).filter(|c| dense(*c)).collect()
});

/// How often each kind of hint is in these words.
pub(crate) fn count(words: &[String]) -> [u8; N_CUES] {
    let mut counts = [0_u8; N_CUES];
    let mut found = |cue: Cue| {
        let count = &mut counts[cue as usize];
        *count = count.saturating_add(1);
    };
    let mut last = "";
    for word in words {
        if word.chars().next().is_some_and(dense) {
            inside(word, &mut found);
            continue;
        }
        if !last.is_empty()
            && let Some((cue, _)) = TABLE.get(format!("{last}_{word}").as_str())
        {
            found(*cue);
        }
        if let Some(cue) = whole_or_start(word) {
            found(cue);
        }
        last = word;
    }
    counts
}

/// The hint of a word: its own, or that of its longest known start.
fn whole_or_start(word: &str) -> Option<Cue> {
    if let Some((cue, _)) = TABLE.get(word) {
        return Some(*cue);
    }
    let ends: Vec<usize> = word.char_indices().map(|(at, _)| at).skip(2).take(MAX_STEM).collect();
    ends.into_iter()
        .rev()
        .find_map(|end| TABLE.get(&word[..end]).filter(|(_, open)| *open).map(|(cue, _)| *cue))
}

/// Hints inside a run of a script without spaces: the longest at each place, then on behind it.
fn inside(run: &str, found: &mut impl FnMut(Cue)) {
    let ends: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
    let mut at = 0;
    while at + 1 < ends.len() {
        if !run[ends[at]..].chars().next().is_some_and(|c| BEGINNINGS.contains(&c)) {
            at += 1;
            continue;
        }
        let longest = (1..=MAX_DENSE.min(ends.len() - 1 - at))
            .rev()
            .find_map(|n| TABLE.get(&run[ends[at]..ends[at + n]]).map(|(cue, _)| (n, *cue)));
        match longest {
            Some((n, cue)) => {
                found(cue);
                at += n;
            }
            None => at += 1,
        }
    }
}

const WORDS: &[(Cue, &str)] = &[
    (
        Cue::Code,
        "code coding codebase script* function* func method* class regex* refactor* implement* compile* debug* bug bugs \
         python javascript typescript rust golang java kotlin swift ruby php perl lua c++ elixir haskell scala bash zsh \
         powershell sql awk sed grep git rebase merge commit endpoint* api apis unit_test* tests pytest jest struct enum \
         async await loop array arrays string json yaml toml xml html css fix patch* lint* crate package npm cargo pip \
         library snippet program programm* skript* funktion* implementier* kompilier* fehlermeldung* fonction* \
         programme* código función funciones programa* función* codice funzione* função funções kod kodu funkcj* skrypt* \
         код кода скрипт* функци* программ* исправ* コード 関数 スクリプト 実装 代码 函数 脚本 实现 写个程序 编写 程序 接口 코드 함수 \
         스크립트 구현* fonksiyon* betik yazılım كود دالة سكريبت برنامج कोड फ़ंक्शन स्क्रिप्ट hàm mã skripta kodi kode funktie* \
         refaktor* refactor formula formel vlookup xlookup makro macro query queries abfrage* consulta* requête* запрос*",
    ),
    (
        Cue::Find,
        "find sources source links link cite* citation* references studies study papers paper survey surveys research* \
         look_up find_out search* literature evidence published datasets benchmarks vendors providers \
         alternatives compare comparison overview reviews peer quellen quelle studien studie such suche recherch* finde \
         belege vergleich* anbieter überblick sources étude* études trouve* cherche* compar* comparat* fuentes fuente \
         estudio* busca* encuentra enlace* fonti fonte studi cerca trova confronta confronto fontes estudo* procur* \
         pesquis* bronnen onderzoek* zoek vind źródł* badani* znajd* szukaj* porównaj* источник* исследовани* найди* найти \
         поищи* сравни* ссылк* 調べて 調査 比較 論文 出典 リンク 資料 探して 研究 文献 来源 链接 查找 查一下 对比 调查 找 资料 찾아* 조사* 논문* \
         출처* 비교* 자료* 링크* kaynak* araştır* bul karşılaştır* bağlantı* مصادر دراسات ابحث رابط روابط مقارنة أبحاث स्रोत \
         अध्ययन खोज* लिंक तुलना nguồn tìm nghiên källor studier hitta jämför* kilder finn sammenlign* lähteet etsi",
    ),
    (
        Cue::Shorten,
        "summar* tldr tl_dr gist digest* condense* shorten* shorter key_points bottom_line boil_down recap* minutes \
         takeaways highlights abstract brief bullet bullets one_line in_short zusammenfass* fass fasse kurzfassung \
         kernpunkte stichpunkte stichworte protokoll kürze kürzer résum* synthèse raccourci* points_clés resum* resumen \
         resumir síntesis sintetiz* riassu* sintesi punti_chiave resumo samenvat* vat hoofdpunten streszcz* podsumuj* \
         podsumowanie skróć кратк* резюм* суть сократи* перескажи* выжимк* 要約 まとめ まとめて 要点 短く 総結 总结 摘要 概括 概要 \
         归纳 缩短 요약* 정리* 요점* özet* kısalt* لخص ملخص تلخيص اختصر सारांश संक्षेप tóm sammanfatta* sammenfat* \
         oppsummer* tiivist* rezumat* összefoglal* shrň* shrnut*",
    ),
    (
        Cue::Decide,
        "which_one better worse choose decide decision should_i worth plan planning trade_off tradeoff pros_and \
         calculate* compute* probability proof prove derive estimate* how_many how_much why_is analyse analyz* analysis \
         explain_why strategy budget* schedule odds root_cause evaluate assess weigh conclude diagnose rank* prioriti* \
         entscheid* berechne* beweis* plan* lohnt rechne* wahrscheinlich* soll_ich abwäg* décid* calcul* démontr* \
         prouve* choisir vaut conseil* decid* elegir conviene demuestra* vale analiza* calcol* dimostra* conviene \
         scegliere decidir escolher prove bereken* bewijs* beslis* kies* oblicz* udowodnij* wybrać zdecyd* посчита* \
         рассчита* докажи* выбрать стоит план* решить 計算 証明 どっち どちら 計画 分析 判断 选哪个 计算 证明 分析 规划 计划 该不该 划算 \
         계산* 증명* 분석* 계획* 결정* hesapla* kanıtla* hangisi karar plan analiz* احسب أثبت قرر خطة أيهما تحليل गणना सिद्ध \
         योजना फैसला tính chứng nên beräkna bevisa bør laske todista",
    ),
    (
        Cue::Write,
        "write poem poetry story stories haiku limerick slogan* tagline* name names naming letter email mail e_mail post \
         speech toast lyrics song sonnet tweet caption* invitation* joke* rhym* rephrase reword* rewrite tone polite* \
         friendlier cover_letter eulogy novel* scene dialogue script gedicht* geschichte reim* brief mail rede spruch \
         sprüche name einladung* formulier* umformulier* texte schreib* poème* histoire lettre courriel discours slogan* \
         nom écri* rédig* reformul* invitation poema* cuento carta correo discurso lema nombre* escrib* redact* \
         invitación poesia racconto lettera discorso scriv* nome poesia história carta escrev* redij* convite gedicht \
         verhaal schrijf* brief wiersz* opowiad* list napisz* przemów* стих* рассказ письмо напиши* поздравлен* тост \
         придума* сочини* 詩 物語 手紙 メール 書いて スピーチ 俳句 名前 文案 诗 故事 信 邮件 演讲 写一 起名 名字 祝福 润色 시 이야기 편지 \
         이메일 써줘 이름 şiir hikaye mektup yaz e_posta isim قصيدة قصة رسالة اكتب خطاب اسم कविता कहानी पत्र लिखो लिख नाम \
         thơ truyện thư viết dikt skriv brev digt runo kirje",
    ),
    (
        Cue::Chat,
        "hi hello hey thanks thank thx bye morning goodnight lol haha hahaha you your u yours do_you are_you can_you \
         opinion think favourite favorite feel joke_me bored lonely sorry ok okay cool nice great nvm hallo danke tschüss \
         moin servus du dein dir bist findest bonjour merci salut tu toi hola gracias tú eres crees ciao grazie sei olá \
         obrigad* você oi hoi dank jij bedankt cześć dzięki ty привет спасибо ты тебе пока こんにちは ありがとう おはよう \
         你好 谢谢 你 早上好 哈哈 안녕* 고마* 너 merhaba teşekkür* selam sen مرحبا شكرا انت नमस्ते धन्यवाद तुम आप chào cảm \
         hej tack takk tak kiitos moi pretend roleplay role_play really true",
    ),
    (
        Cue::Frontend,
        "css button* react svelte vue angular dropdown* modal* sticky flexbox grid layout* browser* safari firefox chrome \
         mobile responsive dark_mode tooltip* menu* icon* font* pixel* px ui ux component* tailwind html dom scroll* swipe* \
         animation* a11y aria wcag accessib* screenreader viewport hover navbar footer header* sidebar webpage website \
         android ios app screen* checkbox* form* input* placeholder* svg canvas schaltfläche* knopf bouton* botón botones \
         pulsante botão knop przycisk* кнопк* ボタン 画面 按钮 页面 样式 버튼* 화면* düğme buton زر बटन nút",
    ),
    (
        Cue::Backend,
        "server* backend endpoint* api apis auth login logout session* jwt oauth token* password* http https rest grpc \
         websocket* queue* cache* cli thread* race deadlock* memory_leak leak* panic* segfault pointer* algorithm* list \
         recursion rust golang java python ruby rails django fastapi flask node express spring kotlin php laravel c++ \
         encryption tls parser* compiler* status_code regex latency p99 microservice* webhook* middleware exception* \
         traceback algorithmus сервер* サーバー 服务器 服务 算法 서버* sunucu* خادم सर्वर",
    ),
    (
        Cue::Devops,
        "docker* kubernetes k8s helm terraform opentofu ansible ci cd pipeline* gitlab github jenkins build builds deploy* \
         rollout nginx systemd cron* linux ubuntu debian ssh rsync tar git branch* rebase merge container* podman cloud \
         aws azure gcp s3 bucket* monitoring prometheus grafana alert* pager* oncall on_call outage incident* dns vpn \
         firewall network* router* wifi disk raid backup* server_room runner* nightly canary staging bash shell zsh \
         powershell makefile registry certificate* bereitstell* déploie* despleg* wdroż* деплой デプロイ 部署 容器 배포* dağıt*",
    ),
    (
        Cue::Data,
        "sql postgres* mysql sqlite duckdb bigquery snowflake table tables column* row rows spreadsheet* excel csv sheet* \
         pivot dataframe pandas polars numpy dbt airflow etl schema* index join select database* dataset* warehouse metric* \
         kpi ab_test a_b significan* regression median mean variance statisti* correlation sample training model* classifier \
         dashboard* chart* histogram query tabelle* datenbank* spalte* zeile* tabla* datos base_de tableau* données tabella \
         dati tabela* dados baz* danych таблиц* данны* база 表格 数据 数据库 データ 表 データベース 데이터* 표 엑셀* veri veritabanı tablo \
         بيانات جدول डेटा तालिका",
    ),
    (
        Cue::Docs,
        "readme changelog documentation docs docstring* manual man_page wiki release_notes api_reference contributing \
         handbook* tutorial* getting_started dokumentation handbuch anleitung* documentación manuel documentazione manuale \
         documentação dokumentacj* документаци* ドキュメント マニュアル 文档 手册 说明书 문서* 매뉴얼* dokümantasyon وثائق توثيق दस्तावेज़*",
    ),
    (
        Cue::Vision,
        "photo* picture* pic pics image* screenshot* scan scans scanned snapshot* drawing* sketch* mockup mock_up \
         whiteboard handwrit* foto* bild bilder screenshot* aufnahme* zeichnung* image captura* imagen imagens \
         immagine* afbeelding* zdjęci* zrzut* фото* скриншот* картинк* снимок 写真 画像 スクショ 图片 照片 截图 图 사진* 이미지* 스크린샷* \
         fotoğraf* görsel* resim صورة صور फोटो तस्वीर ảnh hình bild kuva bilde billede",
    ),
    (
        Cue::Own,
        "attached attachment* enclosed file files folder* directory repo repository our project* pdf docx xlsx pptx \
         downloads inbox drive notes_app notebook below anhang angehängt anbei datei* ordner unser* adjunto* archivo* carpeta \
         nuestr* fichier* dossier joint* notre allegat* cartella nostr* anexo* arquivo* pasta nosso* bijlage* bestand* map \
         onze załącz* plik* folder* nasz* вложени* файл* папк* наш* 添付 ファイル フォルダ 附件 文件 文件夹 我们 첨부* 파일* 폴더* \
         우리* ekli ekte dosya* klasör* bizim مرفق ملف مجلد फ़ाइल फ़ोल्डर संलग्न bifogad* tệp",
    ),
    (
        Cue::Live,
        "now today tonight tomorrow currently right_now latest current this_week weather price live open_now heute jetzt \
         aktuell* morgen wetter maintenant aujourd demain actuel* météo ahora hoy mañana actual* tiempo oggi adesso domani \
         meteo agora hoje amanhã nu vandaag weer teraz dziś dzisiaj pogoda сейчас сегодня завтра погода 今 今日 明日 天気 现在 \
         今天 明天 天气 지금 오늘* 내일* 날씨* şimdi bugün yarın hava الآن اليوم غدا الطقس अभी आज कल मौसम idag nå",
    ),
    (
        Cue::Long,
        "pages page book books volumes transcripts chapters archive* report reports thesis codebase entire whole every \
         complete seiten buch bücher bände kapitel gesamte* komplett* alle pages livre livres tomes chapitres entier* \
         páginas libro libros tomos capítulos entero* completo* pagine libri capitoli intero livro livros inteiro* \
         pagina hele boek strony stron książk* cał* страниц* книг* том* весь всю всех ページ 冊 全部 全体 页 本书 整个 全部 페이지* \
         전체* 책 sayfa* kitap* tüm bütün صفحة صفحات كتاب كامل पृष्ठ पन्ने किताब पूरी पूरा trang sidor sider",
    ),
    (
        Cue::Reason,
        "prove proof derive theorem lemma constraint* intermittent* sometimes occasionally random* under_load race only_when \
         mismatch off_by contradict* trade_offs break_even probability expected risk* scenario* variants assumption* flaky \
         manchmal gelegentlich beweis* widersprüch* parfois démontr* contrainte* contradict* veces demuestra* restriccion* \
         restrições às_vezes talvolta dimostra* soms czasem иногда докаж* противореч* 証明 時々 たまに 证明 有时 偶尔 추도 가끔 \
         증명* bazen kanıt* أحيانا أثبت कभी सिद्ध",
    ),
    (
        Cue::Big,
        "architecture migrate* migration entire whole platform system distributed multi* monorepo rollout stages roadmap \
         complete all every across zero_downtime end_to design specification spec benchmark* framework engine architektur \
         migrier* system* gesamte* komplette* plattform architecture* migr* entier* système conception arquitectura sistema* \
         migrar diseñ* completo* architettura intero progett* arquitetura migraç* inteir* architektur* przenie* zaprojektuj* \
         архитектур* мигр* спроектируй* система 設計 移行 アーキテクチャ 全体 设计 架构 迁移 系统 整个 설계* 아키텍처* 이전* tasarla* mimari \
         تصميم معماري نظام डिज़ाइन आर्किटेक्चर प्रणाली",
    ),
    (
        Cue::Small,
        "quick quickly briefly just short shortest tiny little one single line typo simple small word words sentence kurz \
         schnell mal eben nur klein* satz wort vite petit* juste phrase mot rápido corto solo breve frase palabra rapido \
         piccol* parola rapidinho só curto palavra snel even kort woord zin szybko krótk* zdani* słow* быстро коротк* \
         просто слов* фраз* 一言 短い ちょっと 簡単 一句 简短 一个 快速 간단* 짧* 한마디 kısa kısaca basit hızlı بسرعة قصير كلمة \
         छोटा जल्दी शब्द ngắn kort",
    ),
    (
        Cue::Fails,
        "error* fails failed failing failure crash* broken breaks break doesnt dont isnt cant wont didnt stopped stuck \
         hangs slow slower timeout* exception* wrong missing weird upside off leak* fehler* kaputt geht_nicht funktioniert \
         hängt stürzt langsam erreur* plante marche_pas bug lent error falla* fallo* no_funciona roto lento errore rotto \
         non_funziona erro quebr* não_funciona travand* fout* kapot werkt_niet błąd błęd* nie_działa psuje ошибк* не_работает \
         сломал* падает тормоз* エラー 動かない 落ちる 遅い 壊れ 报错 错误 崩溃 失败 很慢 坏了 에러* 오류* 안돼* 느려* hata* çalışmıyor \
         bozuk yavaş خطأ لا_يعمل بطيء त्रुटि एरर lỗi fel virker_ikke",
    ),
    (
        Cue::How,
        "how how_do how_to wie comment cómo como come hoe jak как どうやって どう 怎么 如何 어떻게 nasıl كيف कैसे làm hur hvordan miten",
    ),
    (
        Cue::Why,
        "why warum wieso weshalb pourquoi por_qué perché por_que waarom dlaczego czemu почему зачем なぜ なんで どうして 为什么 为何 왜 \
         neden niye لماذا क्यों sao varför hvorfor miksi",
    ),
    (
        Cue::Which,
        "which who whose where when welche* wer wo wann quel* qui où quand cuál* quién* dónde cuándo quale quali chi dove \
         quando qual quais quem onde welke wie_is waar wanneer który która które kto gdzie kiedy какой какая какие кто где \
         когда どの どれ 誰 どこ いつ 哪 哪些 谁 哪里 什么时候 어느 어떤 누구 어디 언제 hangi kim nerede أي من أين متى कौन कहाँ कब",
    ),
    (
        Cue::What,
        "what whats is was ist qué que quoi cosa che o_que wat co что 何 什么 吗 か 뭐 무엇 ne mı mi ما ماذا هل क्या gì vad hva",
    ),
    (
        Cue::Daily,
        "cook* bake* recipe* soup dinner lunch kitchen garden* plant* dog dogs cat cats kid kids child* mum mom dad sister \
         brother wife husband holiday* birthday wedding* school teacher* doctor sleep coffee tea shirt shoes bike car rain \
         house flat landlord neighbour* neighbor* gym train football rezept* kochen garten hund katze kinder mama papa \
         schwester bruder urlaub geburtstag hochzeit schule vermieter nachbar* recette* cuisine jardin chien chat enfant* \
         vacances anniversaire mariage école receta* cocina* jardín perro gato niños vacaciones cumpleaños boda escuela \
         ricetta cucina cane gatto bambini vacanz* compleanno receita* cozinha cachorro férias aniversário przepis* pies \
         kot dzieci urodziny рецепт* собак* кошк* дети отпуск рождения 料理 レシピ 犬 猫 誕生日 旅行 菜谱 做饭 狗 猫 孩子 生日 요리* \
         강아지 고양이 생일 yemek tarif köpek kedi طبخ وصفة كلب قطة नुस्खा खाना कुत्ता बिल्ली",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::tokens::words;

    #[test]
    fn hints_in_many_languages() {
        for (text, cue) in [
            ("Summarise this", Cue::Shorten),
            ("bitte zusammenfassen", Cue::Shorten),
            ("この記事を要約してください", Cue::Shorten),
            ("请总结一下", Cue::Shorten),
            ("요약해 주세요", Cue::Shorten),
            ("the key points", Cue::Shorten),
            ("เขียน haiku", Cue::Write),
        ] {
            assert!(count(&words(text))[cue as usize] > 0, "{text}");
        }
    }
}
