"""What the store's page says, in English and Chinese: one flat dictionary per language, the same keys in each.

A key with a dot names a value of a closed list (`intent.test_drive`), so a template never spells a label itself.
"""

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]

ENGLISH: Final[Mapping[str, str]] = {
    "language": "English",
    "inbox": "Leads",
    "skip": "Skip to the leads",
    "log_in": "Log in",
    "log_in_title": "Open your store's inbox",
    "log_in_help": "Your network operator gave this store an inbox key. You need it once a day on each device.",
    "inbox_key": "Inbox key",
    "wrong_key": (
        "This key does not open the inbox of this store. "
        "Check it letter by letter, or ask your network operator for a new one."
    ),
    "log_out": "Log out",
    "live": "Live",
    "reconnecting": "Reconnecting…",
    "to_answer": "To answer",
    "in_progress": "In progress",
    "earlier": "Earlier",
    "none_to_answer": "Nothing to answer. A new lead appears here by itself.",
    "none_in_progress": "No accepted lead is open.",
    "none_earlier": "Nothing yet.",
    "state.new": "New",
    "state.accepted": "Accepted",
    "state.declined": "Declined",
    "state.moved_on": "Moved on",
    "state.closed": "Closed",
    "said.new": "",
    "said.accepted": "Yours. Call the customer now, then report how it ended.",
    "said.declined": "You declined it. It went on to the next site.",
    "said.moved_on": "It was not answered in time or was taken back. Please do not call.",
    "said.closed": "This lead needs nothing more from you.",
    "intent.purchase": "Purchase",
    "intent.test_drive": "Test drive",
    "intent.vehicle_delivery": "Vehicle delivery",
    "intent.used_vehicle": "Used vehicle",
    "intent.trade_in": "Trade-in",
    "intent.maintenance": "Maintenance",
    "intent.mechanical_repair": "Mechanical repair",
    "intent.body_repair": "Body repair",
    "intent.paint_repair": "Paint repair",
    "vehicle": "Vehicle",
    "no_vehicle": "No vehicle named",
    "distance": "Distance",
    "metres": "{n} m",
    "kilometres": "{n} km",
    "received": "Received",
    "day_time": "{d:%d %b}, {d:%H:%M}",
    "answer_by": "Answer by",
    "time_left": "{time} left",
    "time_over": "Time is over",
    "hurry": "Please answer now: the lead goes to another site when the time is over.",
    "accept": "Accept",
    "decline": "Decline",
    "decline_why": "Why can your store not take it?",
    "decline_send": "Decline and pass it on",
    "decline_reason.no_staff": "Nobody is free in time",
    "decline_reason.no_vehicle": "The vehicle is not here",
    "decline_reason.too_far": "Too far for the customer",
    "decline_reason.not_our_work": "We do not do this work",
    "decline_reason.other": "Another reason",
    "outcome": "Report the outcome",
    "outcome_how": "How did it end?",
    "outcome_send": "Save the outcome",
    "result": "Outcome",
    "result.won": "Won: bought, booked or done",
    "result.lost": "Lost: the customer decided against it",
    "result.unreachable": "Customer could not be reached",
    "result.invalid": "Not a real request",
    "reason": "Reason",
    "show_contact": "Show contact",
    "hide_contact": "Hide contact",
    "contact": "Contact",
    "name": "Name",
    "phone": "Phone",
    "email": "E-mail",
    "contact_recorded": "That you looked was recorded. Use the contact for this lead only.",
    "contact_not_yours": "Your store does not hold this lead any more, so its contact is closed. Please do not call.",
    "contact_erased": "The contact was erased on the customer's wish. Please do not call.",
    "contact_later": "The contact cannot be read at this moment. Try again in a minute.",
    "late.new": "Your answer was not taken. This is how the lead stands now.",
    "late.accepted": "Your answer came too late: your store has accepted this lead already.",
    "late.declined": "Your answer came too late: your store has declined this lead already.",
    "late.moved_on": "Your answer came too late: the lead has moved on to another site. Please do not call.",
    "late.closed": "Your answer came too late: this lead is closed already.",
    "not_sent": "Not sent: the connection is down. Try again in a moment.",
    "announce.new": "New lead: {what}, {distance}. Answer by {time}.",
    "announce.reminded": "Still to answer: {what}. Answer by {time}.",
    "announce.changed": "{what}: {state}. {said}",
    "expired": "You were logged out. Log in again to go on.",
    "problem": "This did not work",
    "problem.forbidden": "The page was too old to trust this request. Go back to the inbox and try again.",
    "problem.missing": "There is no such lead in this inbox.",
    "problem.unavailable": "The inbox is not available at this moment. Nothing was lost; try again in a minute.",
    "problem.request": "The request was not understood. Go back to the inbox and try again.",
    "back": "Back to the inbox",
    "sound_on": "Turn sound on",
    "sound_off": "Turn sound off",
}

CHINESE: Final[Mapping[str, str]] = {
    "language": "中文",
    "inbox": "线索",
    "skip": "跳到线索列表",
    "log_in": "登录",
    "log_in_title": "打开门店收件箱",
    "log_in_help": "网络运营方已为本门店发放收件箱密钥。每台设备每个工作日只需输入一次。",
    "inbox_key": "收件箱密钥",
    "wrong_key": "该密钥无法打开本门店的收件箱。请逐字核对，或向网络运营方申请新密钥。",
    "log_out": "退出登录",
    "live": "实时",
    "reconnecting": "正在重新连接…",
    "to_answer": "待答复",
    "in_progress": "跟进中",
    "earlier": "更早",
    "none_to_answer": "暂无待答复的线索。新线索会自动出现在这里。",
    "none_in_progress": "没有正在跟进的线索。",
    "none_earlier": "暂无记录。",
    "state.new": "新线索",
    "state.accepted": "已接受",
    "state.declined": "已拒绝",
    "state.moved_on": "已转出",
    "state.closed": "已结束",
    "said.new": "",
    "said.accepted": "该线索归本店。请立即联系客户，之后填写结果。",
    "said.declined": "本店已拒绝，线索已转给下一家门店。",
    "said.moved_on": "未按时答复或已被收回。请不要联系客户。",
    "said.closed": "该线索无需再处理。",
    "intent.purchase": "购车",
    "intent.test_drive": "试驾",
    "intent.vehicle_delivery": "新车交付",
    "intent.used_vehicle": "二手车",
    "intent.trade_in": "置换",
    "intent.maintenance": "保养",
    "intent.mechanical_repair": "机电维修",
    "intent.body_repair": "钣金维修",
    "intent.paint_repair": "喷漆维修",
    "vehicle": "车型",
    "no_vehicle": "未指定车型",
    "distance": "距离",
    "metres": "{n} 米",
    "kilometres": "{n} 公里",
    "received": "收到时间",
    "day_time": "{d.month}月{d.day}日 {d:%H:%M}",
    "answer_by": "答复期限",
    "time_left": "剩余 {time}",
    "time_over": "已超时",
    "hurry": "请立即答复：超时后线索将转给其他门店。",
    "accept": "接受",
    "decline": "拒绝",
    "decline_why": "本店为什么不能接？",
    "decline_send": "拒绝并转出",
    "decline_reason.no_staff": "届时没有空闲人员",
    "decline_reason.no_vehicle": "本店没有该车",
    "decline_reason.too_far": "对客户来说太远",
    "decline_reason.not_our_work": "本店不做此业务",
    "decline_reason.other": "其他原因",
    "outcome": "填写结果",
    "outcome_how": "结果如何？",
    "outcome_send": "保存结果",
    "result": "结果",
    "result.won": "成功：已购买、已预约或已完成",
    "result.lost": "流失：客户决定放弃",
    "result.unreachable": "联系不上客户",
    "result.invalid": "不是真实需求",
    "reason": "原因",
    "show_contact": "显示联系方式",
    "hide_contact": "隐藏联系方式",
    "contact": "联系方式",
    "name": "姓名",
    "phone": "电话",
    "email": "邮箱",
    "contact_recorded": "本次查看已记录。联系方式仅限用于该线索。",
    "contact_not_yours": "本店已不再持有该线索，联系方式已关闭。请不要联系客户。",
    "contact_erased": "联系方式已按客户要求删除。请不要联系客户。",
    "contact_later": "暂时无法读取联系方式，请一分钟后再试。",
    "late.new": "答复未被采纳。线索当前状态如下。",
    "late.accepted": "答复已晚：本店此前已接受该线索。",
    "late.declined": "答复已晚：本店此前已拒绝该线索。",
    "late.moved_on": "答复已晚：线索已转给其他门店。请不要联系客户。",
    "late.closed": "答复已晚：该线索已结束。",
    "not_sent": "未发送：连接已断开，请稍后再试。",
    "announce.new": "新线索：{what}，{distance}。请在 {time} 前答复。",
    "announce.reminded": "仍待答复：{what}。请在 {time} 前答复。",
    "announce.changed": "{what}：{state}。{said}",
    "expired": "您已退出，请重新登录。",
    "problem": "操作未成功",
    "problem.forbidden": "页面已过期，请求未被接受。请返回收件箱重试。",
    "problem.missing": "收件箱中没有该线索。",
    "problem.unavailable": "收件箱暂时不可用。没有任何数据丢失，请一分钟后再试。",
    "problem.request": "请求无法识别。请返回收件箱重试。",
    "back": "返回收件箱",
    "sound_on": "开启提示音",
    "sound_off": "关闭提示音",
}

LANGUAGES: Final[Mapping[Language, Mapping[str, str]]] = {"en": ENGLISH, "zh": CHINESE}
HTML_LANG: Final[Mapping[Language, str]] = {"en": "en", "zh": "zh-Hans"}


def language_of(chosen: str | None, accept_language: str) -> Language:
    """The language a person chose on the page, else the best of `Accept-Language` (RFC 9110, 12.5.4), else English."""
    for language in LANGUAGES:
        if chosen == language:
            return language
    ranked: list[tuple[float, Language]] = []
    for part in accept_language[:200].split(","):
        tag, _, quality = part.strip().partition(";")
        primary = tag.strip().lower().split("-")[0]
        weight = _quality(quality)
        if weight > 0 and primary == "en":
            ranked.append((weight, "en"))
        elif weight > 0 and primary == "zh":
            ranked.append((weight, "zh"))
    # max() keeps the first of equals, and the first is what the browser's owner put first.
    return max(ranked, key=lambda rank: rank[0])[1] if ranked else "en"


def _quality(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
