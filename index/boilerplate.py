"""Lines that web pages and mailings carry around their text: cookie notices, buttons, forms, navigation.

Recognised by what they say, in the words that all pages share. It is better to miss one than to take a
sentence of the text for one, so what could be either is text.
"""

from __future__ import annotations

import re

NOTICE = 400
"""A notice has no more characters; a longer paragraph that mentions cookies is about them."""
LABELS = 120
"""A line of buttons and links has no more characters."""

_NOTICES = (
    r"\b(?:we|this (?:web)?site|our (?:web)?site|our partners)(?: and our partners)? (?:also )?uses? cookies\b",
    r"\b(?:accept|reject|manage|allow) (?:all )?(?:optional )?cookies\b",
    r"\bby (?:continuing|clicking|using|browsing)\b.{0,80}\b(?:cookies|terms of (?:use|service)|privacy policy)\b",
    r"\b(?:subscribe|sign up|register)\b.{0,40}\b(?:newsletters?|mailing list|to our (?:channel|e-?mails?)|for updates)\b",
    r"\bsubscribe (?:now|today|here)\b",
    r"\bto your inbox\b",
    r"\b(?:enter|type) your e-?mail(?: address)?\b",
    r"\byour e-?mail address will not be published\b",
    r"\brequired fields are marked\b",
    r"\b(?:leave|post|add|write) an? (?:comment|reply)\b",
    r"\b(?:log|sign) in to (?:comment|reply|continue|read)\b",
    r"\bbe the first to (?:comment|reply|know)\b",
    r"\bsave my name, e-?mail\b",
    r"\ball rights reserved\b",
    r"\b(?:enable|turn on) javascript\b",
    r"\b(?:turn off|disable) your ad.?block",
    r"\bclick here to (?:subscribe|sign|unsubscribe)\b|\bto unsubscribe\b",
    r"\bfollow us on\b",
    # German, French, Spanish
    r"\bverwende[nt] cookies\b|\bcookies akzeptieren\b|\bnewsletter (?:abonnieren|anmelden)\b",
    r"\bkommentar (?:schreiben|hinterlassen|verfassen)\b|\balle rechte vorbehalten\b",
    r"\b(?:utilis(?:e|ons)|accepter) (?:des|les|tous les) cookies\b|\b(?:abonnez|inscrivez)-vous (?:à|a) (?:la|notre|nos)\b",
    r"\blaisser un commentaire\b|\btous droits réservés\b",
    r"\b(?:utilizamos|aceptar) (?:las )?cookies\b|\bsuscríbete a\b|\btodos los derechos reservados\b",
    # Japanese, Chinese
    r"(?:クッキー|cookie)を?(?:使用|利用)|メールマガジン.{0,12}登録|(?:メルマガ|ニュースレター).{0,12}(?:登録|購読)",
    r"コメントを(?:残す|書く|投稿)|無断(?:転載|複製).{0,8}(?:禁|ご遠慮)",
    r"使用\s?cookies?|订阅.{0,8}(?:通讯|邮件|频道)|版权所有|發表(?:評論|留言)|发表(?:评论|留言)",
)
_HINTS = (
    *(
        "cookie",
        "subscri",
        "newsletter",
        "mailing list",
        "sign up",
        "register",
        "inbox",
        "mail",
        "required fields",
    ),
    *(
        "comment",
        "reply",
        "log in",
        "sign in",
        "first to",
        "rights reserved",
        "javascript",
        "your ad",
        "click here",
    ),
    *(
        "follow us",
        "terms of",
        "privacy policy",
        "kommentar",
        "vorbehalten",
        "abonn",
        "inscri",
        "réserv",
        "suscr",
    ),
    *(
        "reservados",
        "クッキー",
        "メール",
        "メルマガ",
        "ニュースレター",
        "コメント",
        "無断",
        "订阅",
        "版权",
        "評論",
        "评论",
        "留言",
    ),
)
"""A text without any of these has no notice: looking for them is quick."""
_BUTTON = (
    r"share(?: this)?(?: (?:article|post|story|page))?|share (?:on|via) \w+|tweet|print this(?: (?:article|page))?"
    r"|e-?mail this|copy link|\d+ (?:comments?|shares?)|read (?:more|also|next|full (?:article|story))|continue reading"
    r"|(?:see|show|view|load) (?:more|less|all)|learn more|(?:next|previous|prev|older|newer) (?:articles?|posts?|page|story)"
    r"|back to (?:top|home)|skip to (?:main )?content|related (?:articles|posts|stories|news|topics|content)"
    r"|you (?:may|might) also (?:like|be interested in)|most (?:read|popular|viewed)|trending now|recommended for you"
    r"|advertisements?|sponsored(?: content)?|log ?in|sign ?in|cookie (?:policy|settings|preferences)|accept all|reject all"
    r"|loading|weiterlesen|lire (?:la suite|aussi)|leer más|mentions légales"
    r"|シェア(?:する)?|ツイート|続きを読む|もっと見る|関連記事|おすすめ記事|人気記事|前の記事|次の記事|ページの先頭へ|阅读更多|相关(?:文章|新闻)"
)
"""What stands on no line of its own but as a button or link."""
_LINK = (
    rf"{_BUTTON}|home(?:page)?|menu|search|log ?out|sign ?up|register|subscribe|print|e-?mail|save|like|reply|comments?"
    r"|more|next|previous|prev|related|trending|about(?: us)?|contact(?: us)?|privacy(?: policy)?|newsletters?|rss|tags"
    r"|terms(?: (?:of|&|and) (?:use|service|conditions))?|site ?map|imprint|accessibility|careers|help|faqs?|close|cancel"
    r"|startseite|suche|anmelden|teilen|drucken|mehr|impressum|datenschutz(?:erklärung)?|werbung|anzeige|kontakt"
    r"|accueil|rechercher|partager|imprimer|inicio|buscar|compartir|contacto"
    r"|ホーム|トップ(?:ページ)?|メニュー|検索|ログイン|印刷|広告|お問い合わせ|プライバシーポリシー|利用規約|首页|搜索|登录|分享|打印|广告|联系我们"
)
"""What also heads a section of a text, so that it takes two of them in a line."""
_notice = re.compile("|".join(_NOTICES), re.IGNORECASE)
_button = re.compile(rf"\W*(?:{_BUTTON})\W*", re.IGNORECASE)
_links = re.compile(rf"\W*(?:{_LINK})(?:[\s|/·•>»,–—-]+(?:{_LINK}))+\W*", re.IGNORECASE)
_opening = re.compile(
    r"\W*(?:(?:copyright\b|©|\(c\)).{0,20}\b(?:19|20)\d\d\b|(?:home|startseite|accueil|inicio|ホーム|首页) ?[|>›»＞])",
    re.IGNORECASE,
)


def is_boilerplate(block: str) -> bool:
    """Whether a paragraph or line belongs to the page that carries a text, not to the text."""
    if len(block) > NOTICE:
        return False
    lowered = block.lower()
    if any(hint in lowered for hint in _HINTS) and _notice.search(block):
        return True
    if len(block) > LABELS:
        return False
    return bool(_button.fullmatch(block) or _links.fullmatch(block) or _opening.match(block))
